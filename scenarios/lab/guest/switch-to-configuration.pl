#!@userland@/bin/perl -I@userland@/lib/perl-base
# Makes this system the booted default (boot), the running one (test), both (switch), or says what would change
# (dry-activate). Exit codes are NixOS's: 1 the boot loader could not be installed, 2 activation failed, 3 systemd could
# not be reloaded, 4 units failed.
use strict;
use warnings;
use Cwd qw(abs_path);
use Fcntl qw(:flock);

my $toplevel = "@out@";
my $systemd = "@userland@";
my $units_directory = "$toplevel/etc/systemd/system";
my $action = shift @ARGV // "";
my $dry = $action eq "dry-activate";
$ENV{PATH} = "@userland@/bin";
$| = 1;

if (!grep { $action eq $_ } qw(switch boot test dry-activate)) {
    print STDERR "Usage: $0 [switch|boot|test|dry-activate]\n";
    exit 1;
}
die "This is not a NixOS installation!\n" if !-f "/etc/NIXOS" && slurp("/etc/os-release") !~ /^ID="?nixos"?$/m;

mkdir "/run/nixos", 0755;
open(my $lock, ">", "/run/nixos/switch-to-configuration.lock") or die "could not open the lock: $!\n";
flock($lock, LOCK_EX | LOCK_NB) or die "another switch-to-configuration is running\n";

if ($action eq "switch" || $action eq "boot") {
    system("@installBootloader@", $toplevel) == 0 or exit 1;
}
exit 0 if $action eq "boot";

# Stage 2 and systemd of the booted system must understand the new one; where they do not, only a reboot helps.
sub interface_version { return `cat $_[0]/init-interface-version 2>/dev/null` }
if (interface_version("/run/current-system") ne interface_version($toplevel)) {
    print STDERR "Warning: the new NixOS configuration has an ‘init’ that is incompatible; reboot to use it.\n";
    exit 100;
}

my %plan = plan();
if ($dry) {
    announce("would stop the following units", $plan{stop});
    announce("would restart the following units", $plan{restart});
    announce("would reload the following units", $plan{reload});
    announce("would start the following units", [services_of($plan{start})]);
    exit 0;
}
exit apply();

# What has to happen to the units that are active now, by comparing their files with the new system's.
sub plan {
    my (@stop, @restart, @reload, @start, @skip);
    my %active = active_units();
    for my $unit (sort keys %active) {
        my $old = unit_text("/etc/systemd/system", $unit);
        next if !defined $old;
        my $new = unit_text($units_directory, $unit);
        if (!defined $new) {
            push @stop, $unit if flag($old, "X-StopOnRemoval", 1);
        } elsif ($unit =~ /\.target$/) {
            push @start, $unit if !flag($new, "RefuseManualStart", 0) && !flag($new, "X-OnlyManualStart", 0);
        } elsif ($old eq $new || $unit =~ /\.(slice|path|device)$/) {
            next;
        } elsif (flag($new, "X-ReloadIfChanged", 0)) {
            push @reload, $unit;
        } elsif (!flag($new, "X-RestartIfChanged", 1) || flag($new, "RefuseManualStop", 0) || flag($new, "X-OnlyManualStart", 0)) {
            push @skip, $unit;
        } elsif (!flag($new, "X-StopIfChanged", 1)) {
            push @restart, $unit;
        } else {
            push @stop, $unit;
            push @start, $unit;
        }
    }
    return (stop => \@stop, restart => \@restart, reload => \@reload, start => \@start, skip => \@skip);
}

sub apply {
    my $result = 0;
    my $running = abs_path("/run/current-system/systemd/lib/systemd/systemd") // "";

    announce("stopping the following units", $plan{stop});
    system("systemctl", "stop", "--no-ask-password", "--", @{$plan{stop}}) if @{$plan{stop}};
    announce("NOT restarting the following changed units", $plan{skip});

    print STDERR "activating the configuration...\n";
    system("$toplevel/activate") == 0 or $result = 2;

    if ($running ne abs_path("$systemd/lib/systemd/systemd")) {
        print STDERR "restarting systemd...\n";
        system("systemctl", "daemon-reexec") == 0 or $result = 3;
    }
    system("systemctl", "reset-failed");
    system("systemctl", "daemon-reload") == 0 or $result = 3;
    system("systemd-tmpfiles", "--create", "--remove", "--exclude-prefix=/dev");

    my %before = active_units();
    announce("reloading the following units", $plan{reload});
    for (["reload", $plan{reload}], ["restart", $plan{restart}], ["start", $plan{start}]) {
        my ($verb, $units) = @$_;
        next if !@$units;
        announce("restarting the following units", $units) if $verb eq "restart";
        announce("starting the following units", [services_of($units)]) if $verb eq "start";
        system("systemctl", $verb, "--no-ask-password", "--", @$units) == 0 or $result = 4;
    }

    my %after = active_units();
    announce("the following new units were started", [grep { !$before{$_} && !/^run-credentials/ && !grep_in($_, $plan{start}) } sort keys %after]);
    my @failed = failed_units();
    if (@failed) {
        print STDERR "warning: the following units failed: ", join(", ", @failed), "\n\n";
        system("systemctl", "status", "--no-pager", "--full", "--", @failed);
        $result = 4;
    }
    return $result;
}

sub active_units {
    my %active;
    for (list_units()) {
        my ($unit, $load, $state) = @$_;
        $active{$unit} = 1 if $state =~ /^(active|activating)$/ || $state eq "reloading";
    }
    return %active;
}

# Failed, or between two attempts at starting: one sample, at this moment, as NixOS does it.
sub failed_units {
    return map { $_->[0] } grep { $_->[2] eq "failed" || $_->[3] eq "auto-restart" } list_units();
}

sub list_units {
    my @units;
    open(my $pipe, "-|", "systemctl", "list-units", "--all", "--full", "--plain", "--no-legend", "--no-pager") or die "cannot list the units: $!\n";
    while (my $line = <$pipe>) {
        push @units, [split ' ', $line, 5];
    }
    close $pipe;
    return @units;
}

# A unit's file and its drop-ins as one text, or undef where the system has no such unit.
sub unit_text {
    my ($directory, $unit) = @_;
    my $name = $unit;
    $name = "$1\@$2" if !-e "$directory/$unit" && $unit =~ /^(.*)@[^.]*(\..*)$/;
    my $file = "$directory/$name";
    return undef if !-f $file;
    my $text = slurp($file);
    $text .= slurp($_) for sort glob("$file.d/*.conf");
    return $text;
}

sub flag {
    my ($text, $key, $default) = @_;
    my @values = $text =~ /^\Q$key\E=(.*)$/mg;
    return @values ? $values[-1] =~ /^(1|yes|true|on)$/i : $default;
}

# Targets are started again at every switch, so that what they newly want is: nobody needs to read that.
sub services_of {
    my ($units) = @_;
    return grep { !/\.target$/ } @$units;
}

sub announce {
    my ($what, $units) = @_;
    print STDERR "$what: ", join(", ", sort @$units), "\n" if @$units;
}

sub grep_in { my ($needle, $list) = @_; return scalar grep { $_ eq $needle } @$list; }

sub slurp {
    my ($path) = @_;
    open(my $file, "<", $path) or return "";
    local $/;
    return <$file> // "";
}
