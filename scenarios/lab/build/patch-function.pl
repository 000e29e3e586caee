# patch-function.pl FILE FUNCTION HEX: overwrites the first instructions of a function of a relocatable 64-bit ELF file, such as a
# kernel module, and tells what it cannot do. The call with which a traced function begins (`__fentry__`) stays.
use strict;
use warnings;

my ($file, $function, $hex) = @ARGV;
die "$hex are no bytes in hex\n" if $hex !~ /^(?:[0-9a-f]{2})+$/;
my $bytes = pack("H*", $hex);

open(my $in, "<:raw", $file) or die "$file: $!\n";
my $elf = do { local $/; <$in> };
close $in;
die "no 64-bit ELF file of this byte order\n" if substr($elf, 0, 6) ne "\x7fELF\x02\x01";

# The ELF header (elf(5)): e_shoff, then e_shentsize, e_shnum.
my $table = unpack("Q<", substr($elf, 0x28, 8));
my ($size, $count) = unpack("S<2", substr($elf, 0x3a, 4));
my @sections = map {
    my %section;
    @section{qw(name type flags address offset size link info align entry)} = unpack("L<2 Q<4 L<2 Q<2", substr($elf, $table + $_ * $size, 64));
    \%section
} 0 .. $count - 1;

my ($section, $at) = place_of($function);
my $relocations = relocations_in($section);
if (substr($elf, $sections[$section]{offset} + $at, 1) eq "\xe8" && $relocations->{$at + 1}) {
    $at += 5;
}
# The kernel would write an address over what is put here: each relocation in the way becomes one of no kind (R_X86_64_NONE). A relocation
# of a module is of 4 or 8 bytes; one that begins before belongs to an instruction that stays.
for my $place ($at - 7 .. $at + length($bytes) - 1) {
    my $relocation = $relocations->{$place} or next;
    next if $place + $relocation->{width} <= $at;
    die "a relocation is in the way\n" if $place < $at;
    substr($elf, $relocation->{entry} + 8, 4) = pack("L<", 0);
}
substr($elf, $sections[$section]{offset} + $at, length $bytes) = $bytes;
# The kernel takes a module without a signature where it asks for none, and never one whose signature is wrong
# (kernel/module/signing.c). Before the magic stand 12 bytes, of which the last four are the signature's length.
my $magic = "~Module signature appended~\n";
if (substr($elf, -length $magic) eq $magic) {
    my $length = unpack("L>", substr($elf, -length($magic) - 4, 4));
    substr($elf, -length($magic) - 12 - $length) = "";
}
open(my $out, ">:raw", $file) or die "$file: $!\n";
print $out $elf;
close $out or die "$file: $!\n";

# The section that a function is in, and its place there.
sub place_of {
    my ($wanted) = @_;
    for my $symbols (grep { $_->{type} == 2 } @sections) {
        my $names = substr($elf, $sections[$symbols->{link}]{offset}, $sections[$symbols->{link}]{size});
        for (my $i = 0; $i < $symbols->{size}; $i += 24) {
            my ($name, $info, $other, $index, $value, $length) = unpack("L< C2 S< Q<2", substr($elf, $symbols->{offset} + $i, 24));
            next if ($info & 15) != 2 || unpack("Z*", substr($names, $name)) ne $wanted;
            die "$wanted is too short\n" if $length < length($bytes) + 5;
            return ($index, $value);
        }
    }
    die "no function is called $wanted\n";
}

# The relocations of a section by their place: where in the file each is told, and how many bytes it takes, R_X86_64_64 and R_X86_64_PC64 eight.
sub relocations_in {
    my ($index) = @_;
    my %all;
    for my $of (grep { $_->{type} == 4 && $_->{info} == $index } @sections) {
        for (my $i = 0; $i < $of->{size}; $i += 24) {
            my $entry = $of->{offset} + $i;
            my ($offset, $info) = unpack("Q<2", substr($elf, $entry, 24));
            my $type = $info & 0xffffffff;
            $all{$offset} = { entry => $entry, width => $type == 1 || $type == 24 ? 8 : 4 };
        }
    }
    return \%all;
}
