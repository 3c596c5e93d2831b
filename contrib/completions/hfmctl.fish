# fish completion for hfmctl(8): put this file into fish's directory of completions. Names of rules and tables
# come from the hfm that runs, if it answers soon.

# The words before the cursor that are no options and no values of options.
function __hfmctl_operands
    set -l is_value 0
    for word in (commandline -opc)[2..-1]
        if test $is_value = 1
            set is_value 0
        else
            switch $word
                case -s --socket --timeout --for --reason
                    set is_value 1
                case '-*'
                case '*'
                    echo -- $word
            end
        end
    end
end

# Whether the command is one of these, and so many operands follow it.
function __hfmctl_is
    set -l operands (__hfmctl_operands)
    test (count $operands) -gt 0
    and contains -- $operands[1] $argv[2..-1]
    and test (math (count $operands) - 1) = $argv[1]
end

function __hfmctl_takes
    set -l operands (__hfmctl_operands)
    test (count $operands) -gt 0
    and contains -- $operands[1] $argv
end

function __hfmctl_names
    set -l words (commandline -opc)
    set -l socket
    for place in (seq 2 (count $words))
        switch $words[$place]
            case -s --socket
                set -l next (math $place + 1)
                set socket -s $words[$next]
            case '--socket=*'
                set socket -s (string replace -- --socket= '' $words[$place])
        end
    end
    hfmctl complete $argv[1] --timeout 2 $socket 2>/dev/null
end

complete -c hfmctl -f
complete -c hfmctl -s s -l socket -r -F -d 'the socket of hfm'
complete -c hfmctl -l json -d 'print the answer as it comes, an object a line'
complete -c hfmctl -l timeout -x -d 'give up after so many seconds without a line'
complete -c hfmctl -s h -l help -d 'print what there is'
complete -c hfmctl -s V -l version -d 'print the version'
complete -c hfmctl -n '__hfmctl_takes status' -s w -l watch -d 'again and again'
complete -c hfmctl -n '__hfmctl_takes drain disable set' -l for -x -a '30m 2h 1d' -d 'end by itself after this'
complete -c hfmctl -n '__hfmctl_takes drain disable set' -l reason -x -d why
complete -c hfmctl -n '__hfmctl_takes drain' -l force -d 'even if that empties a table'

set -l no_command 'test (count (__hfmctl_operands)) = 0'
complete -c hfmctl -n $no_command -a status -d 'how rules stand'
complete -c hfmctl -n $no_command -a tables -d 'what tables should hold, and what they do'
complete -c hfmctl -n $no_command -a drain -d 'take rules out on purpose'
complete -c hfmctl -n $no_command -a disable -d 'stop testing rules'
complete -c hfmctl -n $no_command -a enable -d 'clear what drain, disable or set did'
complete -c hfmctl -n $no_command -a set -d 'have rules count as down or up'
complete -c hfmctl -n $no_command -a run -d 'run the test of rules once, now'
complete -c hfmctl -n $no_command -a reload -d 'read the configuration again'
complete -c hfmctl -n $no_command -a reconcile -d 'read all tables now, and repair what differs'
complete -c hfmctl -n $no_command -a events -d 'tell what happens from now on'
complete -c hfmctl -n $no_command -a stats -d 'what was counted and measured'
complete -c hfmctl -n $no_command -a log -d 'log this level and graver from now on'
complete -c hfmctl -n $no_command -a stop -d 'end hfm'
complete -c hfmctl -n $no_command -a complete -d 'names, one a line'

complete -c hfmctl -n '__hfmctl_is 0 status drain disable enable set run' -a '(__hfmctl_names rules)' -d rule
complete -c hfmctl -n '__hfmctl_is 0 tables' -a '(__hfmctl_names tables)' -d table
complete -c hfmctl -n '__hfmctl_is 1 set' -a 'always-fail always-success'
complete -c hfmctl -n '__hfmctl_is 0 log' -a 'off error warn info debug trace'
complete -c hfmctl -n '__hfmctl_is 0 complete' -a 'rules tables'
