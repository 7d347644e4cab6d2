/** A program for perl's -e that writes to a twentieth of its memory each second, as far as it has the time. Who works for less than a hundredth of the time sleeps. */
export const HURRIES =
  'use Time::HiRes "time"; my $mib = 300; our $memory = "x" x ($mib << 20); while (1) { substr $memory, int(rand 76800) << 12, 1, "y" for 1 .. 40; my $until = time + 0.0005; 1 while time < $until; select undef, undef, undef, 0.01 }';
