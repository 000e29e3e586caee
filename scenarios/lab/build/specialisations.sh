# A toplevel with specialisations, as NixOS has it: the same as one without ($toplevelScript), then a link to each of $variants, by its name in
# $names, and their boot.json in its own.
# shellcheck source=toplevel.sh
. "$toplevelScript"
read -ra paths <<< "$variants"
json= n=0
for name in $names; do
  variant=${paths[n]}
  n=$((n + 1))
  ln -s "$variant" "$out/specialisation/$name"
  json+="${json:+, }\"$name\": $(< "$variant/boot.json")"
done
none='"org.nixos.specialisation.v1": {}'
document=$(< "$out/boot.json")
printf '%s\n' "${document%"$none"*}\"org.nixos.specialisation.v1\": {$json}${document##*"$none"}" > "$out/boot.json"
