# A gateway with its hosts, for the commands of the documents: in namespaces of its own, so that all paths are as they are written.
#
# usage: unshare --mount --net --pid --fork --kill-child --mount-proc sh world.sh DIRECTORY WORD ...
#
# DIRECTORY has bin (hfm, hfmctl, cargo), files (what is laid over /), commands (NUMBER, a file each), and gets NUMBER.out
# and NUMBER.status for each. A WORD is the kind of world, or what is wrong in it.
set -u
directory=$1
shift
words=" $* "
is() { case $words in *" $1 "*) return 0 ;; *) return 1 ;; esac }
die() {
	echo "the world could not be made: $*" >"$directory/trouble"
	exit 1
}

mount --make-rprivate / || die "mount"
mount -t tmpfs none /run && mkdir -p /run/hfm || die "/run"
mkdir -p "$directory/etc" && cp -a /etc/. "$directory/etc/" && mount --bind "$directory/etc" /etc || die "/etc"
mkdir -p "$directory/local" && mount --bind "$directory/local" /usr/local/etc || die "/usr/local/etc"
mount -t tmpfs none /var/lib && mkdir -p /var/lib/hfm || die "/var/lib"
cp -R "$directory/files/." / || die "files"
grep -q '^hfm:' /etc/passwd || echo 'hfm:x:64099:64099::/nonexistent:/usr/sbin/nologin' >>/etc/passwd
grep -q '^hfm:' /etc/group || echo 'hfm:x:64099:' >>/etc/group
# Names are those of this world alone: nobody is asked.
printf '127.0.0.1 localhost\n127.0.0.1 www.example.net www.example.com\n' >/etc/hosts
echo 'hosts: files' >/etc/nsswitch.conf
: >/etc/resolv.conf

ip link set lo up || die "lo"
for address in 192.0.2.11 192.0.2.12 192.0.2.13 192.0.2.20 198.51.100.1 198.51.100.80; do
	ip address add "$address/32" dev lo || die "$address"
done
for address in 2001:db8:2::11 2001:db8:2::12 2001:db8:2::13 2001:db8:100::1; do
	ip address add "$address/128" dev lo nodad || die "$address"
done
for device in eth0 eth1; do
	ip link add "$device" type veth peer name "$device-peer" && ip link set "$device" up || die "$device"
done

# Every host is this one: haproxy answers at every address; what is dead is refused on the way.
cd "$directory" || die "cd"
cat >openssl.cnf <<END
[req]
distinguished_name = name
x509_extensions = extensions
[name]
[extensions]
subjectAltName = DNS:www.example.com, DNS:www.example.net
END
openssl req -x509 -config openssl.cnf -newkey rsa:2048 -nodes -days 30 -subj /CN=www.example.com \
	-keyout key.pem -out certificate.pem 2>/dev/null || die "openssl"
cat certificate.pem key.pem >both.pem
export SSL_CERT_FILE="$directory/certificate.pem"
cat >haproxy.cfg <<END
defaults
    mode http
    timeout connect 1s
    timeout client 30s
    timeout server 30s
frontend web
    bind :::80 v4v6
    bind :::8080 v4v6
    bind :::443 v4v6 ssl crt $directory/both.pem
    http-request return status 404 if { path /nowhere }
    http-request return status 200 content-type text/plain string "up and ready"
frontend other
    mode tcp
    bind :::22 v4v6
    bind :::179 v4v6
    tcp-request connection reject
END
haproxy -f haproxy.cfg -q &
nft -f - <<END || die "nft"
table inet test_world {
	set dead { type ipv4_addr; }
	set silent { type ipv4_addr; flags interval; elements = { 203.0.113.0/24 } }
	chain output {
		type filter hook output priority 0
		ip daddr @dead tcp flags & (syn | ack) == syn reject with tcp reset
		ip daddr @silent drop
	}
}
END
ip address add 203.0.113.0/24 dev lo || die "203.0.113.0"

export PATH="$directory/bin:$PATH"
gateway() {
	cat <<END
dataplane = nftables; state_dir = "/run/hfm/state"; control = "/run/hfm/hfm.sock";
interval = 300ms; timeout = 300ms; tables = "inet/filter/web"; min_up = 1;
lb1 { haproxy { test = "http://192.0.2.11/up"; change_fail_debounce = 2 } }
lb2 { haproxy { test = "http://192.0.2.12/up"; change_fail_debounce = 2 } }
lb3 { haproxy { test = "http://192.0.2.13/up"; change_fail_debounce = 2 } }
END
}
limit=4096
wait_for='! grep -q unknown'
if is pair; then
	cp repository/config/pair-linux/nftables.conf /etc/nftables.conf
	cp repository/config/pair-linux/hfm.conf /etc/hfm.conf
	mkdir -p /etc/keepalived
	cp repository/config/pair-linux/keepalived-gw1.conf /etc/keepalived/keepalived.conf
	nft -f /etc/nftables.conf || die "nftables.conf"
	chown hfm:hfm /run/hfm /var/lib/hfm
else
	nft add table inet filter
	nft add set inet filter web '{ type ipv4_addr; }'
	gateway >/etc/hfm.conf
fi
if is classic; then
	cp repository/config/hfm.conf.classic /usr/local/etc/hfm.conf
fi
if is file=names; then
	gateway | sed '/^lb/d' >/etc/hfm.conf
	echo 'named { test = "http://lb9.example.net/up"; addresses = "192.0.2.19" }' >>/etc/hfm.conf
	echo 'src { test = "tcp://192.0.2.13:80"; source = "192.0.2.99" }' >>/etc/hfm.conf
	wait_for='grep -q unresolved'
fi
if is stale; then wait_for='grep -q stale'; fi
if is file=many; then
	gateway | sed '/^lb/d; s/interval = 300ms/interval = 1s/; s/timeout = 300ms/timeout = 1s/' >/etc/hfm.conf
	number=1
	while [ $number -le 254 ]; do
		echo "r$number { test = \"tcp://203.0.113.$number:80\" }" >>/etc/hfm.conf
		number=$((number + 1))
	done
	limit=150
	wait_for='grep -q descriptors'
fi
if is demoted; then
	gateway | sed '/^lb/d' >/etc/hfm.conf
	cat >>/etc/hfm.conf <<END
demotion = "file:/run/hfm/demotion";
wrong { test = "http://192.0.2.11/nowhere"; demote = 50 }
slow { test = "tcp://192.0.2.12:443"; expect = "hello"; demote = 20 }
END
fi
if is page; then
	echo 'listen = "127.0.0.1:9090";' >>/etc/hfm.conf
fi
for number in 1 2 3; do
	if is "lb$number=dead"; then nft add element inet test_world dead "{ 192.0.2.1$number }"; fi
	if is "lb$number=silent"; then nft add element inet test_world silent "{ 192.0.2.1$number }"; fi
done

# The file that README has its reader write, or the gateway's.
file=/etc/hfm.conf
socket=/run/hfm/hfm.sock
if is first; then
	file=$directory/repository/first.conf
	socket=$directory/repository/first.sock
fi

run_hfm() {
	(
		ulimit -n $limit
		exec hfm -config "$file" 2>"$directory/hfm.log"
	) &
	hfm=$!
	tries=0
	until said=$(hfmctl -s "$socket" status 2>&1) && echo "$said" | sh -c "$wait_for"; do
		kill -0 $hfm 2>/dev/null || die "hfm has ended: $(cat "$directory/hfm.log")"
		tries=$((tries + 1))
		[ $tries -lt 600 ] || die "hfm does not come so far: $(hfmctl -s "$socket" status 2>&1)"
		sleep 0.1
	done
}
wait_until() {
	tries=0
	until sh -c "$1"; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || die "never so: $1"
		sleep 0.1
	done
}
wait_until "hfm probe http://192.0.2.20/up >/dev/null 2>&1"
run_hfm
for number in 1 2 3; do
	if is "lb$number=drained"; then
		hfmctl drain "lb$number/haproxy" --for 2h --reason 'kernel update' >/dev/null || die "drain"
	fi
done
if is table=gone; then
	nft delete table inet filter
	wait_until 'hfmctl tables | grep -q "no such table"'
fi
if is hfm=dead; then
	kill -KILL $hfm
	wait $hfm 2>/dev/null
fi
if is file=bad; then
	printf 'intervall = 1s;\nlb1 { haproxy { test = "htps://192.0.2.11/up" } }\n' >/etc/hfm.conf
fi

cd repository || die "cd"
for command in "$directory"/commands/*; do
	timeout --kill-after=5 120 sh "$command" >"$command.out" 2>&1 </dev/null
	echo $? >"$command.status"
done
