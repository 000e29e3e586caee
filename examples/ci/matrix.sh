#!/bin/sh
# Rehearses part K of N of a fleet: matrix.sh K N. For a CI without Nix's own distribution, in a directory with flake.nix and
# bootproof.toml. Ends with the worst exit code: 2 (trouble), 1 (fail), 3 (unproven), 0 (pass).
set -eu
part=$1 of=$2
worst=0
hosts=$(bootproof hosts --partition "hash:$part/$of")
for host in $hosts; do
  code=0
  # shellcheck disable=SC2086 # more arguments of `bootproof test`, as words
  bootproof test --flake . --host "$host" --run-dir "runs/$host" ${BOOTPROOF_TEST_ARGUMENTS:-} || code=$?
  case $worst$code in ?0 | 2? | 1[!2] | 33) ;; *) worst=$code ;; esac
  if [ -n "${GITHUB_STEP_SUMMARY:-}" ] && [ -e "runs/$host/report.md" ]; then
    cat "runs/$host/report.md" >>"$GITHUB_STEP_SUMMARY"
  fi
done
exit "$worst"
