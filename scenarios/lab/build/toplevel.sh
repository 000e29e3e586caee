# Puts a toplevel together, file by file as NixOS has them.
mkdir -p "$out/bin" "$out/specialisation"
install_script() { # FROM TO
  sed "s,@out@,$out,g" "$1" > "$2"
  chmod 755 "$2"
}
case $stage1 in
  script) install_script "$stage2" "$out/init" ;;
  systemd)
    install_script "$stage2" "$out/prepare-root"
    cp "$userland/lib/systemd/systemd" "$out/init"
    ;;
esac
install_script "$activate" "$out/activate"
install_script "$switch" "$out/bin/switch-to-configuration"
printf '#!%s\nexec %s dry-activate\n' "$userland/bin/sh" "$out/bin/switch-to-configuration" > "$out/dry-activate"
chmod 755 "$out/dry-activate"

ln -s "$kernel/bzImage" "$out/kernel"
ln -s "$kernelModules" "$out/kernel-modules"
ln -s "$initrd/initrd" "$out/initrd"
ln -s "$etc/etc" "$out/etc"
ln -s "$sw" "$out/sw"
ln -s "$userland" "$out/systemd"
mkdir "$out/firmware"

printf %s "$kernelParams" > "$out/kernel-params"
printf %s "$kernelSystem" > "$out/system"
printf %s "$version" > "$out/nixos-version"
printf %s "systemd 252" > "$out/init-interface-version"
printf %s "" > "$out/configuration-name"

# https://github.com/NixOS/rfcs/blob/master/rfcs/0125-bootspec.md
cat > "$out/boot.json" <<JSON
{
  "org.nixos.bootspec.v1": {
    "init": "$out/init",
    "initrd": "$initrd/initrd",
    "kernel": "$kernel/bzImage",
    "kernelParams": $kernelParamsJson,
    "label": "$label",
    "system": "$kernelSystem",
    "toplevel": "$out"
  },
  "org.nixos.specialisation.v1": {}
}
JSON
