// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"time"
)

// witness is a connection through the proxy that says nothing after one request: it must be cut, or the
// proxy proves nothing.
func witness(a *access, p *proxy) error {
	conn, err := a.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /version HTTP/1.1\r\nHost: streams\r\n\r\n")
	began := time.Now()
	conn.SetReadDeadline(began.Add(p.cut + 20*time.Second))
	_, err = io.Copy(io.Discard, conn)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return errors.New("the proxy did not cut a silent connection")
	}
	// The server may have ended it before, which proves nothing either.
	if p.cuts.Load() == 0 {
		return fmt.Errorf("a silent connection ended after %v, but not by the proxy", time.Since(began))
	}
	say("a silent connection was cut after %.0f s", time.Since(began).Seconds())
	return nil
}

// reading hands on what a stream says; its end closes the channel and is in *err.
func reading(s *socket, err *error) <-chan []byte {
	out := make(chan []byte, 1024)
	go func() {
		defer close(out)
		for {
			buf := make([]byte, 4096)
			n, e := s.Read(buf)
			if n > 0 {
				out <- buf[:n]
			}
			if e != nil {
				*err = e
				return
			}
		}
	}()
	return out
}

// silent lets the time pass; what the guest says by itself is counted.
func silent(name string, out <-chan []byte, end *error, until time.Time) (int, error) {
	said := 0
	for {
		select {
		case data, ok := <-out:
			if !ok {
				return said, fmt.Errorf("%s ended while it was idle: %w", name, *end)
			}
			said += len(data)
		case <-time.After(time.Until(until)):
			return said, nil
		}
	}
}

func answers(name string, s *socket, out <-chan []byte, end *error, ask []byte) error {
	if _, err := s.Write(ask); err != nil {
		return fmt.Errorf("%s takes nothing any more: %w", name, err)
	}
	select {
	case data, ok := <-out:
		if !ok {
			return fmt.Errorf("%s ended: %w", name, *end)
		}
		say("%s answers, %d bytes; it was pinged %d times", name, len(data), s.pings.Load())
		return nil
	case <-time.After(20 * time.Second):
		return fmt.Errorf("%s does not answer", name)
	}
}

func runIdle(args []string) error {
	var a access
	f := flag.NewFlagSet("idle", flag.ExitOnError)
	a.flags(f)
	long := f.Duration("for", 10*time.Minute, "how long nobody says anything")
	cut := f.Duration("cut", time.Minute, "what the proxy cuts at")
	f.Parse(args)

	host, err := a.host()
	if err != nil {
		return err
	}
	p, err := startProxy("127.0.0.1:0", host, *cut)
	if err != nil {
		return err
	}
	a.through = p.listener.Addr().String()
	cutWitness := make(chan error, 1)
	go func() { cutWitness <- witness(&a, p) }()

	console, err := a.open("console")
	if err != nil {
		return err
	}
	defer console.Close()
	screen, err := a.open("vnc")
	if err != nil {
		return err
	}
	defer screen.Close()
	v, err := handshake(screen)
	if err != nil {
		return err
	}
	say("a console and a screen of %d x %d are open behind a proxy that cuts at %v", v.width, v.height, *cut)

	var consoleEnd, screenEnd error
	until := time.Now().Add(*long)
	consoleOut, screenOut := reading(console, &consoleEnd), reading(screen, &screenEnd)
	results := make(chan error, 2)
	for name, wait := range map[string]func() (int, error){
		"console": func() (int, error) { return silent("console", consoleOut, &consoleEnd, until) },
		"screen":  func() (int, error) { return silent("screen", screenOut, &screenEnd, until) },
	} {
		go func() {
			said, err := wait()
			if err == nil {
				say("%s: %d bytes came in %v", name, said, *long)
			}
			results <- err
		}()
	}
	if err := errors.Join(<-results, <-results); err != nil {
		return err
	}
	if err := answers("console", console, consoleOut, &consoleEnd, []byte("\r")); err != nil {
		return err
	}
	if err := answers("screen", screen, screenOut, &screenEnd, v.updateRequest(false)); err != nil {
		return err
	}
	return <-cutWitness
}
