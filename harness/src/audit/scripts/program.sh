# PATH: the header of what is executed; of a script its text too.
program() {
    bytes "program $1" "$1" 64
    if [ -r "$root$1" ] && [ "$(head -c 2 "$root$1" 2>/dev/null </dev/null | tr -d '\000')" = '#!' ]; then
        text "script $1" "$1" 100000
    fi
}
