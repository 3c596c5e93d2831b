/* The floor: the least that a checker of many targets can do. One epoll loop that wakes at most once a
 * millisecond, starts what is due, takes what has come, and sleeps again. It keeps no history, decides nothing
 * and tells nobody; who does more cannot be cheaper by less than what that more costs.
 *
 * tcp:   connect, and reset. The SYN-ACK is not acknowledged (TCP_QUICKACK off), so that three packets do.
 * http:  connect, ask, see that the answer is 200, and reset. Nor here: the request acknowledges the SYN-ACK.
 * https-full, https-resumed: the same in TLS by OpenSSL, if compiled WITH_OPENSSL; chain and name are verified.
 *
 * usage: floor KIND TARGETS INTERVAL_US TIMEOUT_US FIRST_ADDRESS PORT [NAME CA_FILE]
 * Target i is at FIRST_ADDRESS + i and due i * INTERVAL / TARGETS after the first. Ends on SIGTERM and prints
 * runs and failures. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef WITH_OPENSSL
#include <openssl/ssl.h>
#endif

#define MILLISECOND 1000000ULL
#define SECOND 1000000000ULL
#define EVENTS 512

enum kind { TCP, HTTP, HTTPS_FULL, HTTPS_RESUMED };

/* What is kept for each target. */
struct lane {
	int fd; /* -1 between runs */
	int asked;
	uint64_t slot; /* which run it is, of all there are */
	uint64_t started;
#ifdef WITH_OPENSSL
	SSL *tls;
	SSL_SESSION *session;
#endif
};

static const char request[] = "GET / HTTP/1.1\r\nHost: scale.test\r\nConnection: close\r\n\r\n";
static volatile sig_atomic_t over;
static uint64_t runs, failures, in_flight;
static enum kind kind;
static struct lane *lanes;
static uint32_t first_address;
static in_port_t port;
static int epoll;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void stop(int number)
{
	(void)number;
	over = 1;
}

static uint64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

#ifdef WITH_OPENSSL
static SSL_CTX *context;
static const char *name;

/* OpenSSL hands over a session when its ticket comes; the lane keeps the newest. */
static int keep(SSL *tls, SSL_SESSION *session)
{
	struct lane *lane = SSL_get_app_data(tls);
	SSL_SESSION_free(lane->session);
	lane->session = session;
	return 1;
}

static void prepare(const char *ca_file)
{
	context = SSL_CTX_new(TLS_client_method());
	if (context == NULL || SSL_CTX_load_verify_locations(context, ca_file, NULL) != 1) {
		fprintf(stderr, "floor: OpenSSL does not take %s\n", ca_file);
		exit(1);
	}
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	if (kind == HTTPS_RESUMED) {
		SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
		SSL_CTX_sess_set_new_cb(context, keep);
	} else {
		SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	}
}

static void begin_tls(struct lane *lane)
{
	lane->tls = SSL_new(context);
	if (lane->tls == NULL || SSL_set_fd(lane->tls, lane->fd) != 1 ||
	    SSL_set_tlsext_host_name(lane->tls, name) != 1 || SSL_set1_host(lane->tls, name) != 1)
		fail("SSL_new");
	SSL_set_app_data(lane->tls, lane);
	SSL_set_connect_state(lane->tls);
	if (lane->session != NULL)
		SSL_set_session(lane->tls, lane->session);
}
#endif

static void finish(struct lane *lane, int failed)
{
#ifdef WITH_OPENSSL
	if (lane->tls != NULL) {
		/* As if it had been shut down, or the session could not be used again. */
		SSL_set_shutdown(lane->tls, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
		SSL_free(lane->tls);
		lane->tls = NULL;
	}
#endif
	close(lane->fd);
	lane->fd = -1;
	in_flight--;
	failures += (uint64_t)failed;
}

static void start(uint32_t index, uint64_t slot, uint64_t moment)
{
	static const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	static const int no = 0;
	struct lane *lane = &lanes[index];
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = port };
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = index };

	to.sin_addr.s_addr = htonl(first_address + index);
	lane->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (lane->fd < 0)
		fail("socket");
	lane->asked = 0;
	lane->slot = slot;
	lane->started = moment;
	runs++;
	in_flight++;
	setsockopt(lane->fd, IPPROTO_TCP, TCP_QUICKACK, &no, sizeof no);
	setsockopt(lane->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	if (connect(lane->fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) {
		finish(lane, 1);
		return;
	}
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, lane->fd, &event) != 0)
		fail("epoll_ctl");
#ifdef WITH_OPENSSL
	if (kind >= HTTPS_FULL)
		begin_tls(lane);
#endif
}

/* Whether the answer is 200. */
static int is_good(const char *answer, long length)
{
	return length >= 12 && memcmp(answer, "HTTP/1.1 200", 12) == 0;
}

static void go_on_in_plain(struct lane *lane)
{
	char answer[4096];
	ssize_t length;

	if (!lane->asked) {
		if (send(lane->fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0)
			finish(lane, 1);
		else
			lane->asked = 1;
		return;
	}
	length = recv(lane->fd, answer, sizeof answer, 0);
	if (length >= 0 || errno != EAGAIN)
		finish(lane, !is_good(answer, length));
}

#ifdef WITH_OPENSSL
static void go_on_in_tls(struct lane *lane)
{
	char answer[4096];
	int result, error;

	if (!lane->asked) {
		result = SSL_do_handshake(lane->tls);
		if (result == 1) {
			if (SSL_write(lane->tls, request, sizeof request - 1) <= 0) {
				finish(lane, 1);
				return;
			}
			lane->asked = 1;
			result = SSL_read(lane->tls, answer, sizeof answer);
		}
	} else {
		result = SSL_read(lane->tls, answer, sizeof answer);
	}
	if (result > 0) {
		finish(lane, !is_good(answer, result));
		return;
	}
	error = SSL_get_error(lane->tls, result);
	if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
		finish(lane, 1);
}
#endif

static void take(const struct epoll_event *event)
{
	struct lane *lane = &lanes[event->data.u32];

	if (kind == TCP || (event->events & EPOLLERR) != 0) {
		finish(lane, (event->events & EPOLLERR) != 0);
		return;
	}
#ifdef WITH_OPENSSL
	if (kind >= HTTPS_FULL) {
		go_on_in_tls(lane);
		return;
	}
#endif
	go_on_in_plain(lane);
}

static enum kind kind_of(const char *word)
{
	static const char *const words[] = { "tcp", "http", "https-full", "https-resumed" };
	for (int i = 0; i < 4; i++)
		if (strcmp(words[i], word) == 0)
			return (enum kind)i;
	fprintf(stderr, "floor: unknown kind %s\n", word);
	exit(2);
}

int main(int argc, char **argv)
{
	static struct epoll_event events[EVENTS];
	struct sigaction action = { .sa_handler = stop };
	struct timespec until;
	uint64_t begun, moment, wake, interval, timeout, next = 0, oldest = 0;
	uint32_t targets;
	struct lane *lane;
	int count;

	if (argc < 7)
		return 2;
	kind = kind_of(argv[1]);
	targets = (uint32_t)strtoul(argv[2], NULL, 10);
	interval = strtoull(argv[3], NULL, 10) * 1000;
	timeout = strtoull(argv[4], NULL, 10) * 1000;
	first_address = ntohl(inet_addr(argv[5]));
	port = htons((in_port_t)atoi(argv[6]));
	if (kind >= HTTPS_FULL) {
#ifdef WITH_OPENSSL
		if (argc != 9)
			return 2;
		name = argv[7];
		prepare(argv[8]);
#else
		fprintf(stderr, "floor: compiled without OpenSSL\n");
		return 2;
#endif
	}
	lanes = calloc(targets, sizeof *lanes);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (lanes == NULL || epoll < 0 || targets == 0)
		fail("start");
	for (uint32_t i = 0; i < targets; i++)
		lanes[i].fd = -1;
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);

	/* Slot n is that of target n % targets, and due here: */
#define DUE(slot) (begun + (slot) / targets * interval + (slot) % targets * interval / targets)
	begun = wake = (now() / MILLISECOND + 10) * MILLISECOND;
	while (!over) {
		until.tv_sec = (time_t)(wake / SECOND);
		until.tv_nsec = (long)(wake % SECOND);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		moment = now();
		for (; oldest < next; oldest++) {
			lane = &lanes[oldest % targets];
			if (lane->fd < 0 || lane->slot != oldest)
				continue;
			if (lane->started + timeout > moment)
				break;
			finish(lane, 1);
		}
		/* More than a core can do: slots are left out, for all targets alike. */
		if (moment > DUE(next) + interval)
			next += (moment - DUE(next)) / interval * targets;
		for (; DUE(next) <= moment; next++) {
			lane = &lanes[next % targets];
			if (lane->fd >= 0)
				finish(lane, 1);
			start((uint32_t)(next % targets), next, moment);
		}
		do {
			count = epoll_wait(epoll, events, EVENTS, 0);
			for (int i = 0; i < count; i++)
				take(&events[i]);
		} while (count == EVENTS);
		wake = in_flight > 0 ? moment : DUE(next) - 1;
		wake = (wake / MILLISECOND + 1) * MILLISECOND;
	}
	printf("runs=%llu failures=%llu\n", (unsigned long long)runs, (unsigned long long)failures);
	return 0;
}
