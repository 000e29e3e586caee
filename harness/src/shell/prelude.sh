# Nothing here writes. A command must not read the script's own standard input.
LC_ALL=C
export LC_ALL
PATH=$PATH:/run/current-system/sw/bin:/run/booted-system/sw/bin:/usr/bin:/bin
# A directory that stands for `/`, for the tests.
root=${BOOTPROOF_ROOT-}

open() { printf '=%s %s\n' "$mark" "$1"; }
shut() { printf '\n=%s end %s\n' "$mark" "$1"; }

# NAME COMMAND…: what a command prints, and how it ended.
of() {
    open "$1"
    shift
    "$@" 2>/dev/null </dev/null
    shut "$?"
}

# PATH: why there is nothing of it.
missing() {
    if [ -e "$root$1" ]; then
        shut unreadable
    elif [ -L "$root$1" ]; then
        shut dangling
    else
        shut absent
    fi
}

# NAME PATH LIMIT: the beginning of a file, as text.
text() {
    open "$1"
    if [ -f "$root$2" ] && [ -r "$root$2" ]; then
        head -c "$3" "$root$2" 2>/dev/null </dev/null
        size=$(wc -c 2>/dev/null <"$root$2")
        if [ "${size:-0}" -gt "$3" ]; then shut cut; else shut 0; fi
    else
        missing "$2"
    fi
}

# NAME PATH COUNT: the beginning of a file, in hexadecimal.
bytes() {
    open "$1"
    if [ -f "$root$2" ] && [ -r "$root$2" ]; then
        od -An -v -tx1 -N "$3" "$root$2" 2>/dev/null </dev/null
        shut "$?"
    else
        missing "$2"
    fi
}

# PATH: where it leads to in the end.
link() {
    open "link $1"
    if [ -e "$root$1" ]; then
        target=$(readlink -f "$root$1" 2>/dev/null </dev/null)
        printf '%s' "${target#"$root"}"
        shut 0
    else
        missing "$1"
    fi
}

# NAME PATH: its length.
size() {
    open "$1"
    if [ -f "$root$2" ] && [ -r "$root$2" ]; then
        wc -c 2>/dev/null <"$root$2"
        shut 0
    else
        missing "$2"
    fi
}
