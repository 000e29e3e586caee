    # Those of older generations have no entries.
    for link in "$defaultConfig"/specialisation/*; do
        if [ ! -e "$link/kernel" ]; then continue; fi
        toplevel=$(readlink -f "$link")
        built=$(stat -c %y "$link")
        entry "NixOS - (${link##*/} - ${built%% *} - $(< "$toplevel/nixos-version"))" "$toplevel"
    done
