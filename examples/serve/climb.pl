#!/usr/bin/env perl
# A hill climber outside Python: it talks to `cosearch serve` in JSON, with Perl's own library.
#
#     perl examples/serve/climb.pl [cosearch serve ...]
use strict;
use warnings;
use IPC::Open2;
use JSON::PP;

my @command = @ARGV ? @ARGV : qw(cosearch serve alexnet:conv5 -H eyeriss --trials 20 --study climb);
my $json = JSON::PP->new->canonical;
my $pid = open2(my $from, my $to, @command);

sub request {
    my ($what) = @_;
    print {$to} $json->encode($what), "\n";
    $to->flush;
    my $line = <$from> // die "the server has ended\n";
    my $answer = $json->decode($line);
    die "$answer->{error}\n" if $answer->{error};
    return $answer;
}

my $about = request({ do => 'space' });
my ($loss) = $about->{objectives}[0]{name};
my %here  = %{ $about->{baseline}{design} };
my $best  = $about->{baseline}{losses}{$loss};
my $left  = $about->{budget}{trials} - $about->{tried};
srand 1;

while ($left > 0) {
    my $parameter = $about->{space}[ rand @{ $about->{space} } ];
    my $choices   = $parameter->{choices};
    my %next      = (%here, $parameter->{name} => $choices->[ rand @$choices ]);
    my $trial     = request({ do => 'tell', designs => [ \%next ] })->{trials}[0];
    $left--;
    my $found = $trial->{losses}{$loss};
    if (defined $found && (!defined $best || $found < $best)) {
        ($best, %here) = ($found, %next);
    }
}

my $end = request({ do => 'best' });
printf "%s of the best of %d: %s\n", $loss, $end->{tried},
    defined $end->{best} ? $end->{best}{losses}{$loss} : 'none';
close $to;
waitpid $pid, 0;
