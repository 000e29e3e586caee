# The modules of $list with what they depend on, in a tree of their own.
dpkg-deb --fsys-tarfile "$deb" | tar -x --no-same-owner --wildcards './lib/modules/*'
version=$(ls lib/modules)
depmod -b "$PWD" "$version"

tree=lib/modules/$version
mkdir -p "$out/$tree"
cp "$tree"/modules.builtin "$tree"/modules.builtin.modinfo "$tree"/modules.order "$out/$tree/"
grep -v '^#' "$list" | while read -r module; do
  # A module that this architecture builds into its kernel, or lacks, is not an error.
  modprobe -d "$PWD" -S "$version" --show-depends --ignore-install "$module" 2>/dev/null || true
done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sed "s,^$PWD/,," | sort -u | cpio -pdm --quiet "$out"
depmod -b "$out" "$version"
