# The downloaded packages, as store paths. `lockFile` is what the last download recorded; the store path of a package
# depends on its content only.
{ lockFile, archives }:
let
  lock = builtins.fromJSON (builtins.readFile lockFile);

  # Store names may hold neither `~` nor `%`.
  storeName = builtins.replaceStrings [ "~" "%3a" "%" ] [ "-" "-" "-" ];

  import' = entry: builtins.path {
    path = archives + "/${entry.file}";
    name = storeName entry.file;
    recursive = false;
    inherit (entry) sha256;
  };

  ofArch = arch: builtins.filter (entry: entry.arch == arch) lock.debs;
in
arch: rec {
  all = builtins.listToAttrs (map (entry: { name = entry.package; value = import' entry; }) (ofArch arch));

  get = name: all.${name} or (throw "the lock has no package ${name} for ${arch}: download the packages again");

  # The package whose name carries the kernel's version, that the kernel's metapackage depends on.
  kernelImage =
    let named = builtins.filter (name: builtins.match "linux-image-[0-9].*" name != null) (builtins.attrNames all);
    in get (builtins.head named);

  # Everything but the kernels and what only firmware runs, for the libraries in them.
  withLibraries = map get (builtins.filter (name: builtins.match "linux-.*|systemd-boot-efi|grub-efi-.*" name == null) (builtins.attrNames all));
}
