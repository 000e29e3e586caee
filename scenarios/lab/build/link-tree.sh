# Makes $out a tree of links from the lines `NAME TARGET` in $links.
mkdir "$out"
while read -r name target; do
  mkdir -p "$out/$(dirname "$name")"
  ln -s "$target" "$out/$name"
done < "$linksPath"
