#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Answers Debian's installer by HTTP on a port of 127.0.0.1: what the folder of scripts/installer-mirror.sh has is sent from there,
# all else is fetched from the mirror by this host's apt, and packages are kept beside it. Perl's core only.
#
#   scripts/installer-serve.pl FOLDER MIRROR-URL PORT-FILE
#
# Writes its port into PORT-FILE and serves until it is killed.
use strict;
use warnings;
use IO::Socket::INET;

@ARGV == 3 or die "usage: installer-serve.pl FOLDER MIRROR-URL PORT-FILE\n";
my ($folder, $mirror, $port_file) = @ARGV;
$mirror =~ m,^https?://[\w.:~/-]+$,a or die "installer-serve.pl: '$mirror' is no mirror: http://HOST/FOLDER\n";
my $kept = "$folder-pool";
$mirror =~ s,/+$,,;
$SIG{CHLD} = $SIG{PIPE} = 'IGNORE';

# The answer's status and, with 200, an open file of its length.
sub found {
    my ($path) = @_;
    return 404 if $path !~ m,^[\w.+~%:/-]+$,a || $path =~ m,(^|/)\.\.?(/|$),;
    my $file = "$folder/$path";
    if (!-f $file) {
        # Neither a package nor a file named by its checksum ever changes.
        my $keep = $path =~ m,^pool/|/by-hash/,;
        $file = "$kept/" . $path =~ s,[%/],_,gr;
        if (!$keep || !-f $file) {
            my $new = "$file.$$";
            local $SIG{CHLD} = 'DEFAULT';
            my $status = system("exec /usr/lib/apt/apt-helper -o APT::Sandbox::User=root -o Acquire::Retries=2 " .
                                "download-file '$mirror/$path' '$new' > /dev/null 2>&1 < /dev/null");
            return 404 if $status || !-f $new;
            rename $new, $file or return 500;
        }
    }
    open my $f, '<:raw', $file or return 500;
    return (200, $f);
}

sub answer {
    my ($client) = @_;
    alarm 600;
    my $request = <$client> // return;
    while (defined(my $line = <$client>)) {
        last if $line =~ /^\r?\n$/;
    }
    my ($method, $path) = $request =~ m,^(GET|HEAD) (?:http://[^/ ]*)?/(?:debian/)?(\S+) HTTP/1\.[01]\r?\n$, or return;
    my ($status, $f) = found($path);
    my $length = $f ? -s $f : 0;
    print $client "HTTP/1.1 $status " . ($status == 200 ? 'OK' : 'Not Found') .
        "\r\nContent-Type: application/octet-stream\r\nContent-Length: $length\r\nConnection: close\r\n\r\n";
    return if !$f || $method eq 'HEAD';
    while (read $f, my $piece, 1 << 16) {
        print $client $piece or return;
    }
}

mkdir $kept;
my $server = IO::Socket::INET->new(Listen => 16, LocalAddr => '127.0.0.1', Proto => 'tcp') or die "installer-serve.pl: $@\n";
open my $out, '>', "$port_file.new" or die "installer-serve.pl: $port_file.new: $!\n";
print $out $server->sockport . "\n";
close $out;
rename "$port_file.new", $port_file or die "installer-serve.pl: $port_file: $!\n";
while (1) {
    my $client = $server->accept or next;
    my $child = fork // next;
    if (!$child) {
        close $server;
        answer($client);
        close $client;
        exit 0;
    }
    close $client;
}
