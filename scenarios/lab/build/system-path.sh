# /run/current-system/sw: what the machine's owner finds in PATH.
mkdir -p "$out/bin"
for path in $paths; do
  for file in "$path"/bin/*; do ln -sfn "$file" "$out/bin/${file##*/}"; done
done
