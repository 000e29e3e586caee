# Sourced: copies the $modules of $kernelModules, with what they depend on, to $out.
version=$(ls "$kernelModules/lib/modules")
tree=lib/modules/$version
mkdir -p "$out/$tree"
cp "$kernelModules/$tree"/modules.{builtin,builtin.modinfo,order} "$out/$tree/"
# crc32c is what ext4 asks the kernel for by the name of an algorithm, not as a dependency.
for module in $modules crc32c_generic; do
  modprobe -d "$kernelModules" -S "$version" --show-depends --ignore-install "$module" 2>/dev/null || true
done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u | while read -r file; do
  target=$out/${file#"$kernelModules"/}
  mkdir -p "${target%/*}"
  cp "$file" "$target"
done
depmod -b "$out" "$version"
