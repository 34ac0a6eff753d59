// SPDX-License-Identifier: Apache-2.0

// streams asks of a machine's console and screen what takes long, or needs a
// client that misbehaves.  Each command prints what it saw and exits 1 when
// that is not as it should be.
//
//	streams proxy -to HOST:PORT [-listen HOST:PORT] [-cut 60s]
//	    copies TCP connections, and cuts those that are idle for that long; prints its address first
//	streams idle ACCESS -for 10m [-cut 60s]
//	    a console and a screen through such a proxy, silent for that long, are alive after it
//	streams flood ACCESS [-bytes 100000000] [-within 10m]
//	    a console that prints without a pause; every byte is compared
//	streams viewers ACCESS [-stop 60s] [-pids 1,2] [-grow-mib 8]
//	    two viewers of a screen, of which one stops reading for that long
//
// ACCESS is -server URL -ca FILE -cert FILE -key FILE -namespace NS -name VMI.  Only the standard library is used.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"
)

// access is how to reach a machine.
type access struct {
	server, ca, cert, key, namespace, name string
	through                                string // HOST:PORT to dial instead of the server's
}

func (a *access) flags(f *flag.FlagSet) {
	f.StringVar(&a.server, "server", "", "URL of the API server")
	f.StringVar(&a.ca, "ca", "", "its CA")
	f.StringVar(&a.cert, "cert", "", "client certificate")
	f.StringVar(&a.key, "key", "", "its key")
	f.StringVar(&a.namespace, "namespace", "default", "of the machine")
	f.StringVar(&a.name, "name", "", "of the machine")
}

func (a *access) host() (string, error) {
	u, err := url.Parse(a.server)
	if err != nil {
		return "", err
	}
	return u.Host, nil
}

func (a *access) dial() (net.Conn, error) {
	host, err := a.host()
	if err != nil {
		return nil, err
	}
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(a.ca)
	if err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(a.cert, a.key)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	if a.through != "" {
		host = a.through
	}
	return tls.Dial("tcp", host, &tls.Config{ServerName: name, RootCAs: roots, Certificates: []tls.Certificate{pair}})
}

var commands = map[string]func(args []string) error{
	"proxy": runProxy, "idle": runIdle, "flood": runFlood, "viewers": runViewers,
}

func say(format string, args ...any) {
	fmt.Printf("%s  %s\n", time.Now().Format("15:04:05"), fmt.Sprintf(format, args...))
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: streams proxy|idle|flood|viewers [flags]; -h after a command lists its flags")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "streams %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}
