// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"time"

	kvcorev1 "kubevirt.io/client-go/kubevirt/typed/core/v1"

	"kubevirt.io/client-go/kubecli"
)

// terminal is a console whose output is collected while somebody types.
type terminal struct {
	conn   net.Conn
	output chan []byte
	end    chan error
	seen   []byte // since the last expectation was met
	before []byte // what came before it
}

func openTerminal(c kubecli.KubevirtClient, name string) (*terminal, error) {
	s, err := c.VirtualMachineInstance(*namespace).SerialConsole(name,
		&kvcorev1.SerialConsoleOptions{ConnectionTimeout: 30 * time.Second})
	if err != nil {
		return nil, err
	}
	t := &terminal{conn: s.AsConn(), output: make(chan []byte, 64), end: make(chan error, 1)}
	go t.collect()
	return t, nil
}

func (t *terminal) collect() {
	for {
		buf := make([]byte, 4096)
		n, err := t.conn.Read(buf)
		if n > 0 {
			t.output <- buf[:n]
		}
		if err != nil {
			t.end <- err
			return
		}
	}
}

func (t *terminal) close() {
	t.conn.Close()
}

// keys go one by one: the guest's UART takes 16 bytes at a time.
func (t *terminal) keys(text string) error {
	for _, key := range []byte(text) {
		if _, err := t.conn.Write([]byte{key}); err != nil {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

// expect waits until the text is shown; what came before it is in t.before then.
func (t *terminal) expect(ctx context.Context, text string, patience time.Duration) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		if at := bytes.Index(t.seen, []byte(text)); at >= 0 {
			t.before, t.seen = t.seen[:at], t.seen[at+len(text):]
			return nil
		}
		select {
		case more := <-t.output:
			t.seen = append(t.seen, more...)
		case err := <-t.end:
			return fmt.Errorf("ended before %q: %w; last: %q", text, err, tail(t.seen))
		case <-timer.C:
			return fmt.Errorf("no %q within %v; last: %q", text, patience, tail(t.seen))
		case <-ctx.Done():
			return fmt.Errorf("no %q in time; last: %q", text, tail(t.seen))
		}
	}
}

func tail(b []byte) []byte {
	return b[max(0, len(b)-300):]
}

// shell reaches a prompt, logging in where it is asked to.  A guest that boots may take a key for a
// name, so the whole is tried again.
func (t *terminal) shell(ctx context.Context) error {
	var err error
	for ctx.Err() == nil {
		if err = t.keys("\n"); err != nil {
			return err
		}
		if t.expect(ctx, "# ", 2*time.Second) == nil {
			return nil
		}
		if !bytes.Contains(t.seen, []byte("login:")) {
			continue
		}
		t.seen = nil
		if err = t.keys("root\n"); err != nil {
			return err
		}
		if err = t.expect(ctx, "assword:", 5*time.Second); err != nil {
			continue
		}
		if err = t.keys("cvirt\n"); err != nil {
			return err
		}
		if err = t.expect(ctx, "~ # ", 10*time.Second); err == nil {
			return nil
		}
	}
	return fmt.Errorf("no shell: %w", err)
}

// run types a command and waits for what it prints; the echo of the typed line must not hold `want`.
func (t *terminal) run(ctx context.Context, command, want string) error {
	if err := t.keys(command + "\n"); err != nil {
		return err
	}
	return t.expect(ctx, want, 20*time.Second)
}

// inGuest runs one command in a session of its own.
func inGuest(ctx context.Context, c kubecli.KubevirtClient, command, want string) error {
	t, err := openTerminal(c, *name)
	if err != nil {
		return err
	}
	defer t.close()
	if err := t.shell(ctx); err != nil {
		return err
	}
	return t.run(ctx, command, want)
}
