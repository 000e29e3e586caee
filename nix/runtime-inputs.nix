# What bootproof starts as processes of their own.
pkgs: [
  pkgs.qemu
  pkgs.e2fsprogs
  pkgs.dosfstools
  pkgs.util-linux
]
