// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// viewer is an RFB 3.8 client without a password that takes raw pixels only.
type viewer struct {
	conn          io.ReadWriter
	width, height uint16
	updates       atomic.Int64
	bytes         atomic.Int64
}

func handshake(conn io.ReadWriter) (*viewer, error) {
	var init struct {
		Width, Height uint16
		Format        [16]byte
		NameLen       uint32
	}
	steps := []struct {
		read int
		send []byte
	}{
		{12, []byte("RFB 003.008\n")}, // version
		{2, []byte{1}},                // one security type: none
		{4, []byte{1}},                // result; shared
	}
	for i, step := range steps {
		got := make([]byte, step.read)
		if _, err := io.ReadFull(conn, got); err != nil {
			return nil, fmt.Errorf("handshake: %w", err)
		}
		if i == 0 && !bytes.HasPrefix(got, []byte("RFB 003.")) || i == 1 && !bytes.Equal(got, []byte{1, 1}) {
			return nil, fmt.Errorf("handshake: unexpected %q", got)
		}
		if _, err := conn.Write(step.send); err != nil {
			return nil, err
		}
	}
	if err := binary.Read(conn, binary.BigEndian, &init); err != nil {
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, conn, int64(init.NameLen)); err != nil {
		return nil, err
	}
	// 32 bits a pixel, and the only encoding is raw.
	format := []byte{0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0}
	if _, err := conn.Write(append(format, 2, 0, 0, 1, 0, 0, 0, 0)); err != nil {
		return nil, err
	}
	return &viewer{conn: conn, width: init.Width, height: init.Height}, nil
}

func (v *viewer) updateRequest(incremental bool) []byte {
	ask := []byte{3, 0, 0, 0, 0, 0}
	if incremental {
		ask[1] = 1
	}
	ask = binary.BigEndian.AppendUint16(ask, v.width)
	return binary.BigEndian.AppendUint16(ask, v.height)
}

func (v *viewer) rectangle() error {
	var r struct {
		X, Y, Width, Height uint16
		Encoding            int32
	}
	if err := binary.Read(v.conn, binary.BigEndian, &r); err != nil {
		return err
	}
	if r.Encoding != 0 {
		return fmt.Errorf("encoding %d, which was not asked for", r.Encoding)
	}
	n, err := io.CopyN(io.Discard, v.conn, int64(r.Width)*int64(r.Height)*4)
	v.bytes.Add(n)
	return err
}

// message reads one of the server's.
func (v *viewer) message() error {
	head := make([]byte, 4)
	if _, err := io.ReadFull(v.conn, head[:1]); err != nil {
		return err
	}
	switch head[0] {
	case 0:
		if _, err := io.ReadFull(v.conn, head[1:]); err != nil {
			return err
		}
		for i := binary.BigEndian.Uint16(head[2:]); i > 0; i-- {
			if err := v.rectangle(); err != nil {
				return err
			}
		}
		v.updates.Add(1)
		return nil
	case 2:
		return nil
	}
	return fmt.Errorf("message of type %d", head[0])
}

// watch asks for the whole screen again and again; `goes` may hold it up.
func (v *viewer) watch(goes func()) error {
	for {
		if _, err := v.conn.Write(v.updateRequest(false)); err != nil {
			return err
		}
		goes()
		if err := v.message(); err != nil {
			return err
		}
	}
}

func rssKiB(pid string) (int, error) {
	text, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmRSS:" {
			return strconv.Atoi(fields[1])
		}
	}
	return 0, fmt.Errorf("no VmRSS of %s", pid)
}

// memory prints and returns the processes' resident KiB.
func memory(when string, pids []string) ([]int, error) {
	var all []int
	for _, pid := range pids {
		kib, err := rssKiB(pid)
		if err != nil {
			return nil, err
		}
		name, _ := os.ReadFile("/proc/" + pid + "/comm")
		say("%s: %s (%s) has %d KiB", when, strings.TrimSpace(string(name)), pid, kib)
		all = append(all, kib)
	}
	return all, nil
}

// rate is updates a second of a viewer over some time.
func rate(v *viewer, over time.Duration) float64 {
	before := v.updates.Load()
	time.Sleep(over)
	return float64(v.updates.Load()-before) / over.Seconds()
}

type pair struct {
	slow, quick *viewer
	stopped     atomic.Bool
	resume      chan struct{}
	ended       chan error
}

func openPair(a *access) (*pair, error) {
	p := &pair{resume: make(chan struct{}), ended: make(chan error, 2)}
	for _, v := range []**viewer{&p.slow, &p.quick} {
		s, err := a.open("vnc?shared=true")
		if err != nil {
			return nil, err
		}
		if *v, err = handshake(s); err != nil {
			return nil, err
		}
	}
	go func() { p.ended <- p.quick.watch(func() {}) }()
	go func() { p.ended <- p.slow.watch(p.hold) }()
	return p, nil
}

// hold is where the slow viewer stops: it has asked for much more than it reads.
func (p *pair) hold() {
	if !p.stopped.Load() {
		return
	}
	for i := 0; i < 200; i++ {
		p.slow.conn.Write(p.slow.updateRequest(false))
	}
	<-p.resume
}

func runViewers(args []string) error {
	var a access
	f := flag.NewFlagSet("viewers", flag.ExitOnError)
	a.flags(f)
	stop := f.Duration("stop", time.Minute, "how long one viewer does not read")
	pids := f.String("pids", "", "processes whose memory must not grow, by comma")
	grow := f.Int("grow-mib", 8, "by how much it may")
	f.Parse(args)

	p, err := openPair(&a)
	if err != nil {
		return err
	}
	var watched []string
	if *pids != "" {
		watched = strings.Split(*pids, ",")
	}
	both := rate(p.quick, 5*time.Second)
	before, err := memory("both read", watched)
	if err != nil {
		return err
	}
	say("both read: the quick one has %.1f updates/s", both)
	if both == 0 {
		return errors.New("no updates at all")
	}

	p.stopped.Store(true)
	alone := rate(p.quick, *stop)
	during, err := memory("one stopped", watched)
	if err != nil {
		return err
	}
	say("one stopped reading for %v: the other has %.1f updates/s", *stop, alone)
	if alone < both/2 {
		return fmt.Errorf("the viewer that reads was slowed, from %.1f to %.1f updates/s", both, alone)
	}
	for i := range during {
		if during[i]-before[i] > *grow*1024 {
			return fmt.Errorf("process %s grew from %d to %d KiB", watched[i], before[i], during[i])
		}
	}

	p.stopped.Store(false)
	close(p.resume)
	again := rate(p.slow, 10*time.Second)
	if _, err := memory("both read again", watched); err != nil {
		return err
	}
	say("it reads again: %.1f updates/s", again)
	select {
	case err := <-p.ended:
		return fmt.Errorf("a viewer ended: %w", err)
	default:
	}
	if again == 0 {
		return errors.New("the viewer that had stopped gets nothing any more")
	}
	return nil
}
