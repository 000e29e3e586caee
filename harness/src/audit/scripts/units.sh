# The services and targets of a toplevel, which is $toplevel, and what pulls units in.
units=$root$toplevel/etc/systemd/system
open units
if [ -d "$units" ]; then shut 0; else missing "$toplevel/etc/systemd/system"; fi
for unit in "$units"/*.service "$units"/*.target; do
    if [ -f "$unit" ]; then text "unit ${unit##*/}" "${unit#"$root"}" 100000; fi
done
for unit in "$units"/*.service.d/*.conf; do
    if [ -f "$unit" ]; then
        directory=${unit%/*}
        directory=${directory##*/}
        text "drop-in ${directory%.d} ${unit##*/}" "${unit#"$root"}" 100000
    fi
done
for directory in "$units"/*.wants "$units"/*.requires "$units"/*.upholds; do
    if [ -d "$directory" ]; then of "wants ${directory##*/}" ls -1 "$directory"; fi
done
link "$toplevel/etc/systemd/system/default.target"
for special in "$root$toplevel"/specialisation/*; do
    if [ -e "$special" ]; then link "${special#"$root"}"; fi
done
