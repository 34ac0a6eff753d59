// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"
)

const (
	firstLine = 10000001 // eight digits, and the line's end as a terminal makes it
	lineBytes = 10
)

// terminal is a console on which somebody logs in.
type terminal struct {
	s    *socket
	out  <-chan []byte
	end  error
	seen []byte
}

func (t *terminal) keys(text string) error {
	for _, key := range []byte(text) {
		if _, err := t.s.Write([]byte{key}); err != nil {
			return err
		}
		time.Sleep(5 * time.Millisecond) // the guest's UART takes 16 at a time
	}
	return nil
}

// expect leaves in seen what comes after the text.
func (t *terminal) expect(text string, patience time.Duration) error {
	deadline := time.After(patience)
	for {
		if at := bytes.Index(t.seen, []byte(text)); at >= 0 {
			t.seen = t.seen[at+len(text):]
			return nil
		}
		select {
		case data, ok := <-t.out:
			if !ok {
				return fmt.Errorf("the console ended: %w", t.end)
			}
			t.seen = append(t.seen, data...)
		case <-deadline:
			return fmt.Errorf("no %q within %v; last: %q", text, patience, t.seen[max(0, len(t.seen)-200):])
		}
	}
}

func (t *terminal) logIn() error {
	var err error
	for try := 0; try < 10; try++ {
		if err = t.keys("\r"); err != nil {
			return err
		}
		if t.expect("# ", 2*time.Second) == nil {
			return nil
		}
		if !bytes.Contains(t.seen, []byte("login:")) {
			continue
		}
		t.seen = nil
		t.keys("root\r")
		if err = t.expect("assword:", 5*time.Second); err != nil {
			continue
		}
		t.keys("cvirt\r")
		if err = t.expect("# ", 10*time.Second); err == nil {
			return nil
		}
	}
	return fmt.Errorf("no shell: %w", err)
}

// Read is what comes after the last expectation.
func (t *terminal) Read(data []byte) (int, error) {
	for len(t.seen) == 0 {
		more, ok := <-t.out
		if !ok {
			return 0, fmt.Errorf("the console ended: %w", t.end)
		}
		t.seen = more
	}
	n := copy(data, t.seen)
	t.seen = t.seen[n:]
	return n, nil
}

// compare reads all lines of the flood; each is the number after the one before.
func compare(in *bufio.Reader, lines int, began time.Time) error {
	next := time.Now().Add(30 * time.Second)
	for i := 0; i < lines; i++ {
		line, err := in.ReadString('\n')
		if err != nil {
			return fmt.Errorf("after %d bytes: %w", i*lineBytes, err)
		}
		if want := fmt.Sprintf("%d\r\n", firstLine+i); line != want {
			return fmt.Errorf("after %d bytes: %q instead of %q", i*lineBytes, line, want)
		}
		if time.Now().After(next) {
			say("%d MB, %.2f MB/s", i*lineBytes/1000000, float64(i*lineBytes)/1e6/time.Since(began).Seconds())
			next = time.Now().Add(30 * time.Second)
		}
	}
	return nil
}

func runFlood(args []string) error {
	var a access
	f := flag.NewFlagSet("flood", flag.ExitOnError)
	a.flags(f)
	total := f.Int("bytes", 100000000, "how many")
	limit := f.Duration("within", 10*time.Minute, "for all of it")
	f.Parse(args)

	s, err := a.open("console")
	if err != nil {
		return err
	}
	defer s.Close()
	t := &terminal{s: s}
	t.out = reading(s, &t.end)
	if err := t.logIn(); err != nil {
		return err
	}
	lines := *total / lineBytes
	command := fmt.Sprintf("dmesg -n 1; stty sane; echo begin-$((40+2)); seq %d %d; echo end-$((40+2))", firstLine, firstLine+lines-1)
	if err := t.keys(command + "\r"); err != nil {
		return err
	}
	if err := t.expect("begin-42\r\n", 20*time.Second); err != nil {
		return err
	}
	began := time.Now()
	result := make(chan error, 1)
	in := bufio.NewReader(t)
	go func() {
		err := compare(in, lines, began)
		if err == nil {
			var line string
			if line, err = in.ReadString('\n'); err == nil && strings.TrimSpace(line) != "end-42" {
				err = fmt.Errorf("more than was asked for: %q", line)
			}
		}
		result <- err
	}()
	select {
	case err = <-result:
	case <-time.After(*limit):
		err = errors.New("out of time")
	}
	if err != nil {
		return err
	}
	took := time.Since(began).Seconds()
	say("%d bytes without a gap in %.0f s, %.2f MB/s", lines*lineBytes, took, float64(lines*lineBytes)/1e6/took)
	return nil
}
