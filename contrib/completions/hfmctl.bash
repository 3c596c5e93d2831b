# bash completion for hfmctl(8). Install as hfmctl in bash-completion's directory of completions, or source it.
# Needs bash 4.3 and nothing else. Names of rules and tables come from the hfm that runs, if it answers soon.

# The words up to the cursor in `words`, those put together again that bash splits at : and =.
_hfmctl_words() {
	local i word is_glued=
	words=()
	for ((i = 1; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ ${#words[@]} -gt 0 && ($is_glued || $word == [:=]*) ]]; then
			words[-1]+=$word
			[[ $word == [:=]* ]] && is_glued=1 || is_glued=
		else
			words+=("$word")
		fi
	done
}

# Adds those of its arguments to COMPREPLY that begin as the current word does.
_hfmctl_offer() {
	local word typed quote= kept
	typed=${COMP_WORDS[COMP_CWORD]}
	[[ $typed == [:=]* ]] && typed=
	# What bash takes for words of their own, and leaves as it is.
	kept=${cur%"$typed"}
	case $cur in
	\'*) quote=\' typed=${cur#\'} kept= ;;
	\"*) quote=\" typed=${cur#\"} kept= ;;
	*) typed=${cur//\\/} ;;
	esac
	for word; do
		[[ $word == "$typed"* ]] || continue
		case $quote in
		'') printf -v word %q "$word" ;;
		\') [[ $word == *\'* ]] && continue ;;
		\") [[ $word == *[\"\\\$\`]* ]] && continue ;;
		esac
		COMPREPLY+=("${word#"$kept"}")
	done
}

# Names that hfm has: rules or tables.
_hfmctl_names() {
	local -a names
	mapfile -t names < <(hfmctl complete "$1" --timeout 2 "${socket[@]}" 2>/dev/null)
	_hfmctl_offer "${names[@]}"
}

_hfmctl() {
	local cur word command= value= is_last_watch= operands=0
	local -a words socket=()
	COMPREPLY=()
	_hfmctl_words
	cur=${words[-1]}
	for word in "${words[@]:0:${#words[@]}-1}"; do
		if [[ $value ]]; then
			[[ $value == -s ]] && socket=(-s "${word//[\\\"\']/}")
			value=
		elif [[ $is_last_watch && $word =~ ^[0-9.]+$ ]]; then
			is_last_watch=
		else
			is_last_watch=
			case $word in
			-s | --socket) value=-s ;;
			--timeout | --for | --reason) value=$word ;;
			-w | --watch) is_last_watch=1 ;;
			--socket=*) socket=(-s "${word#*=}") ;;
			-s?*) socket=(-s "${word#-s}") ;;
			-*) ;;
			*) if [[ $command ]]; then ((operands++)); else command=$word; fi ;;
			esac
		fi
	done
	if [[ $cur == --*=* ]]; then
		# Its value is a word of its own, but for how bash replaces it.
		value=${cur%%=*}
		[[ $value == --socket ]] && value=-s
		cur=${cur#*=}
	fi
	case $value in
	-s)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--for) _hfmctl_offer 30m 2h 1d && return ;;
	?*) return ;;
	esac
	if [[ $cur == -* ]]; then
		case $command in
		status) _hfmctl_offer -w --watch ;;
		drain) _hfmctl_offer --for --reason --force ;;
		disable | set) _hfmctl_offer --for --reason ;;
		esac
		_hfmctl_offer -s --socket --json --timeout -h --help -V --version
		return
	fi
	case $command:$operands in
	:0)
		_hfmctl_offer status tables drain disable enable set run reload reconcile events stats log stop complete
		;;
	status:0 | drain:0 | disable:0 | enable:0 | set:0 | run:0) _hfmctl_names rules ;;
	tables:0) _hfmctl_names tables ;;
	set:1) _hfmctl_offer always-fail always-success ;;
	log:0) _hfmctl_offer off error warn info debug trace ;;
	complete:0) _hfmctl_offer rules tables ;;
	esac
}

complete -F _hfmctl hfmctl
