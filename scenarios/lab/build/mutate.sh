# A copy of $original with changes made to it: $steps has a line `CHANGE PATH ARGUMENT...` for each. PATH is below $out, and
# may be a pattern of the shell's; an empty one is $out itself. A change that changes nothing ends the build, so that no
# mutant can turn out to be healthy.
shopt -s globstar nullglob dotglob
cp -a "$original" "$out"
chmod -R u+w "$out"

fail() { echo "mutation of ${original##*/}: $*" >&2; exit 1; }

# What the copy says of itself must not lead back to the original. Their names are equally long.
old=$(basename "$original") new=$(basename "$out")
{ grep -rlZ --binary-files=text "${old:0:32}" "$out" || true; } | xargs -0r sed -i "s/${old:0:32}/${new:0:32}/g"
find "$out" -type l -print0 | while IFS= read -r -d '' link; do
  target=$(readlink "$link")
  case $target in *"${old:0:32}"*) ln -sfn "${target/${old:0:32}/${new:0:32}}" "$link" ;; esac
done

# A directory may be a link to another store path, which is not ours to change.
require_own() { # PLACE PATH
  if [ -z "$2" ]; then return; fi
  case $(realpath -m "${1%/*}")/ in "$out"/*) ;; *) fail "$2 is in another store path" ;; esac
}

# What PATH matches, as $places.
find_places() { # PATH
  local IFS= place
  places=($out${1:+/$1})
  if [ ${#places[@]} = 0 ]; then fail "nothing is called $1"; fi
  for place in "${places[@]}"; do
    if [ ! -e "$place" ] && [ ! -L "$place" ]; then fail "nothing is called $1"; fi
    require_own "$place" "$1"
  done
}

# The only place that PATH matches, as $place, whether or not it is there yet.
new_place() { # PATH
  local directory=${1%/*}
  place=$out${1:+/$1}
  if [ "$directory" = "$1" ]; then return; fi
  case $directory in
    *[*?[]*)
      find_places "$directory"
      if [ ${#places[@]} != 1 ]; then fail "$directory is more than one directory"; fi
      place=${places[0]}/${1##*/}
      ;;
    *) require_own "$place" "$1"; mkdir -p "${place%/*}" ;;
  esac
}

# A link becomes a copy of the file that it leads to.
own_file() { # PLACE
  local target
  if [ -L "$1" ]; then
    target=$(realpath "$1")
    rm "$1"
    cp "$target" "$1"
    chmod u+w "$1"
  fi
  if [ ! -f "$1" ]; then fail "${1#"$out"/} is no file"; fi
}

remove() { # PATH
  find_places "$1"
  rm -rf -- "${places[@]}"
}

rename() { # PATH TO
  find_places "$1"
  if [ ${#places[@]} != 1 ]; then fail "$1 is more than one thing"; fi
  if [ -e "$out/$2" ]; then fail "there is a $2 already"; fi
  require_own "$out/$2" "$2"
  mkdir -p "$(dirname "$out/$2")"
  mv -- "${places[0]}" "$out/$2"
}

write() { # PATH TEXT
  local place
  new_place "$1"
  if [ -f "$place" ] && [ "$(cat "$place"; echo .)" = "$2." ]; then fail "$1 says so already"; fi
  if [ -L "$place" ]; then rm "$place"; fi
  printf %s "$2" > "$place"
}

append() { # PATH TEXT
  local place
  if [ -z "$2" ]; then fail "nothing to append to $1"; fi
  find_places "$1"
  for place in "${places[@]}"; do
    own_file "$place"
    printf %s "$2" >> "$place"
  done
}

replace() { # PATH FROM TO: every FROM in each file
  local place
  if [ "$2" = "$3" ]; then fail "replaced by itself: $2"; fi
  find_places "$1"
  for place in "${places[@]}"; do
    own_file "$place"
    if ! grep -q --binary-files=text -F -e "$2" "$place"; then fail "${place#"$out"/} does not say $2"; fi
    # Another length would move what follows in a file of binary form.
    if [ ${#2} != ${#3} ] && ! grep -qI . "$place"; then fail "$2 and $3 differ in length, and $1 is no text"; fi
    from=$2 to=$3 perl -0777 -pi -e 's/\Q$ENV{from}\E/$ENV{to}/g' "$place"
  done
}

mode() { # PATH MODE: a store keeps no more of it than whether a file is executable
  local place before
  find_places "$1"
  for place in "${places[@]}"; do
    own_file "$place"
    before=$(test -x "$place" && echo executable || true)
    chmod "$2" "$place"
    if [ "$before" = "$(test -x "$place" && echo executable || true)" ]; then fail "$1 is like that already"; fi
    chmod u+w "$place"
  done
}

link() { # PATH TARGET
  local place
  new_place "$1"
  if [ "$(readlink "$place" || true)" = "$2" ]; then fail "$1 leads there already"; fi
  rm -rf -- "$place"
  ln -s -- "$2" "$place"
}

truncate() { # PATH BYTES
  local place
  find_places "$1"
  for place in "${places[@]}"; do
    own_file "$place"
    if [ "$(stat -c %s "$place")" -le "$2" ]; then fail "$1 is no longer than $2 bytes"; fi
    command truncate -s "$2" "$place"
  done
}

patch() { # PATH FUNCTION CODE: the first instructions of a function of a kernel module, in hex
  local place
  find_places "$1"
  for place in "${places[@]}"; do
    own_file "$place"
    perl "$patchFunction" "$place" "$2" "$3" || fail "$2 of ${place#"$out"/} could not be patched"
  done
}

source "$stepsPath"
