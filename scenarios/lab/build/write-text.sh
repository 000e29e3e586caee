# Writes $text to $out.
cp "$textPath" "$out"
chmod 644 "$out"
if [ -n "${executable:-}" ]; then chmod 755 "$out"; fi
