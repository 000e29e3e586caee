# setup-etc.pl ETC [TARGET LINK]...: makes /etc/static a link to ETC, and everything in it reachable from /etc by links of
# the same names; then the other links that are asked for, so that a boot starts one process for all of them.
# Links of an earlier system whose target is gone are removed. Files that are not ours stay.
use strict;
use warnings;

my ($etc, @links) = @ARGV;
$etc or die "usage: setup-etc.pl ETC\n";
my $static = "/etc/static";

replace_link($etc, $static);
remove_stale("/etc");
link_tree("");
while (my ($target, $link) = splice @links, 0, 2) {
    replace_link($target, $link);
}

sub replace_link {
    my ($target, $link) = @_;
    return if -l $link && readlink($link) eq $target;
    my $temporary = "$link.tmp";
    unlink $temporary;
    symlink $target, $temporary or die "cannot link $temporary: $!\n";
    # A directory of the same name is what a machine's owner has put there: it is not ours to remove.
    rename $temporary, $link or warn "could not replace $link: $!\n";
}

sub entries {
    my ($directory) = @_;
    opendir(my $handle, $directory) or return;
    my @names = sort grep { $_ ne "." && $_ ne ".." } readdir $handle;
    closedir $handle;
    return @names;
}

sub remove_stale {
    my ($directory) = @_;
    for my $name (entries($directory)) {
        my $path = "$directory/$name";
        next if $path eq $static;
        if (-l $path) {
            my $target = readlink $path;
            unlink $path if index($target, "$static/") == 0 && !-l $target && !-e $target;
        } elsif (-d $path) {
            remove_stale($path);
        }
    }
}

sub link_tree {
    my ($relative) = @_;
    for my $name (entries("$etc$relative")) {
        my $path = "$relative/$name";
        if (-d "$etc$path" && !-l "$etc$path") {
            mkdir "/etc$path";
            link_tree($path);
        } else {
            replace_link("$static$path", "/etc$path");
        }
    }
}
