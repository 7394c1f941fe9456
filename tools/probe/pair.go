package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"holdfast/storage"
)

// How often each thing is shown to the other side.
const (
	pairNames    = 20
	pairRounds   = 20
	delayRounds  = 10
	delays       = 10              // waits that a whole measurement can take: the first one too
	slowEnough   = 2 * time.Second // a delay from which on it is not measured again
	pollAtLeast  = time.Millisecond
	pollAtMost   = 100 * time.Millisecond
	recordLength = 64
)

// pair has the other side look at what this one does.
func (p *prober) pair(ctx context.Context) func(*Measurement) {
	r := Pair{}
	if remote, ok := p.peer.(*remote); ok {
		r.Peer = remote.name
	}
	d := &pairing{prober: p, ctx: ctx}
	if r.Err = d.meet(&r); r.Err == "" {
		d.race(&r)
		d.absent(&r)
		d.atOnce(&r)
		d.replace(&r)
		d.delays(&r)
		r.Flock, r.OFD = p.locked(opFlock, tryThere), p.locked(opOFD, tryThere)
		p.ask(opDrop, "none", nil)
	}
	return func(m *Measurement) { m.Pair = &r }
}

func tryThere(p *prober, name string, kind op) string {
	if a := p.ask(kind, name, nil); a.Found && a.Err == "" {
		return a.Lock
	}
	return NoLock
}

func (p *prober) ask(what op, name string, content []byte) response {
	return p.peer.do(request{what, p.name, name, content})
}

// pairing is the part of a measurement that needs the other side.
type pairing struct {
	*prober
	ctx context.Context
}

// meet waits until the other side sees the probe's directory at all, and returns why it does not.
func (d *pairing) meet(r *Pair) string {
	if err := storage.WriteFile(d.FS, d.path("meet"), []byte(d.name)); err != nil {
		return words(err)
	}
	met := d.until(func() (bool, error) {
		a := d.ask(opRead, "meet", nil)
		return string(a.Content) == d.name, failed(a)
	})
	if met.Err != "" {
		return met.Err
	}
	if met.Never {
		return "the other side does not see what is made here: it is not the same filesystem"
	}
	began := time.Now()
	d.ask(opStat, "meet", nil)
	r.RoundTrip = time.Since(began)
	return ""
}

func failed(a response) error {
	if a.Err == "" {
		return nil
	}
	return errors.New(a.Err)
}

// until polls until something is seen.
func (d *pairing) until(seen func() (bool, error)) Delay {
	began := time.Now()
	pause := pollAtLeast
	for {
		ok, err := seen()
		took := time.Since(began)
		switch {
		case err != nil:
			return Delay{Err: words(err)}
		case ok:
			return Delay{Rounds: 1, P50: took, Max: took}
		case took > d.Wait:
			return Delay{Rounds: 1, P50: took, Max: took, Never: true}
		}
		select {
		case <-d.ctx.Done():
			return Delay{Err: words(d.ctx.Err())}
		case <-time.After(pause):
		}
		pause = min(2*pause, pollAtMost)
	}
}

// measure repeats a change and the wait for it. change returns what tells that it is seen.
func (d *pairing) measure(change func(round int) (seen func() (bool, error), err error)) (all Delay) {
	var took []time.Duration
	for n := range delayRounds {
		seen, err := change(n)
		if err != nil {
			all.Err = words(err)
			break
		}
		one := d.until(seen)
		if one.Err != "" {
			all.Err = one.Err
			break
		}
		took = append(took, one.Max)
		if all.Never = one.Never; one.Max > slowEnough {
			break
		}
	}
	all.Rounds = len(took)
	all.P50, _, all.Max = quantiles(took)
	return all
}

// race has both sides create the same names at once.
func (d *pairing) race(r *Pair) {
	r.Create.Names = pairNames
	for n := range pairNames {
		name := fmt.Sprintf("pair-%d", n)
		theirs := make(chan response, 1)
		go func() { theirs <- d.ask(opCreate, name, []byte(storage.NewNonce().String())) }()
		mine, _, err := storage.CreateExclusive(d.FS, d.dir, name, []byte(storage.NewNonce().String()))
		a := <-theirs
		r.Create.count([]storage.Outcome{mine, a.Outcome}, errors.Join(err, failed(a)))
	}
}

// absent lets the other side remember that a name is not there, creates it, and lets the other side try to.
func (d *pairing) absent(r *Pair) {
	for n := range pairNames {
		name := fmt.Sprintf("absent-%d", n)
		d.ask(opStat, name, nil)
		won, _, err := storage.CreateExclusive(d.FS, d.dir, name, []byte(storage.NewNonce().String()))
		if won != storage.Won {
			r.Absent.Err = words(err)
			return
		}
		a := d.ask(opCreate, name, []byte(storage.NewNonce().String()))
		if a.Err != "" {
			r.Absent.Err = a.Err
			return
		}
		r.Absent.Rounds++
		if a.Outcome == storage.Won {
			r.Absent.Stale++
		}
	}
}

// atOnce checks what must show a change at the first look: forced reads, files opened afresh, listings after a creation.
func (d *pairing) atOnce(r *Pair) {
	held := ""
	err := d.grow("grown", pairRounds, func(size int64, _ vfs.File) error {
		if size == 1 { // from now on there is a file to hold
			held = d.ask(opHold, "grown", nil).Err
		}
		forced := d.ask(opHeldForced, "grown", nil)
		fresh := d.ask(opRead, "grown", nil)
		r.Forced.see(failed(forced), forced.Size == size)
		r.Fresh.see(failed(fresh), fresh.Size == size)
		d.ask(opHeldSize, "grown", nil) // so that it is remembered, if it is
		name := fmt.Sprintf("listed-%d", size)
		d.ask(opList, name, nil) // as above
		if err := storage.WriteFile(d.FS, d.path(name), nil); err != nil {
			return err
		}
		list := d.ask(opFreshList, fmt.Sprintf("own-%d", size), nil)
		r.Listing.see(failed(list), slices.Contains(list.Names, name))
		return nil
	})
	for _, s := range []*Rounds{&r.Forced, &r.Fresh, &r.Listing} {
		if s.Err == "" {
			s.Err = words(err)
		}
	}
	if r.Forced.Err == "" {
		r.Forced.Err = held
	}
}

// see counts a round.
func (r *Rounds) see(err error, current bool) {
	if err != nil {
		r.Err = words(err)
		return
	}
	r.Rounds++
	if !current {
		r.Stale++
	}
}

// replace renames over a file while the other side reads it.
func (d *pairing) replace(r *Pair) {
	old, fresh := bytes.Repeat([]byte("o"), 512), bytes.Repeat([]byte("n"), 512)
	if err := storage.ReplaceFile(d.FS, d.dir, "replaced", old); err != nil {
		r.Replace.Err = words(err)
		return
	}
	shown := d.until(func() (bool, error) {
		a := d.ask(opRead, "replaced", nil)
		return a.Found, failed(a)
	})
	if shown.Err != "" || shown.Never {
		r.Replace.Err = "the other side does not see the file" + shown.Err
		return
	}
	written := make(chan error, 1)
	go func() {
		var err error
		for n := 0; n < renames && err == nil; n++ {
			err = storage.ReplaceFile(d.FS, d.dir, "replaced", [][]byte{fresh, old}[n%2])
		}
		written <- err
	}()
	for {
		select {
		case err := <-written:
			r.Replace.Renames, r.Replace.Err = renames, words(err)
			return
		default:
		}
		switch a := d.ask(opRead, "replaced", nil); {
		case a.Err != "":
			// An error is no content: readers of such files try again.
		case !a.Found:
			r.Replace.Missing++
		default:
			r.Replace.look(a.Content, nil, old, fresh)
		}
	}
}

// delays measures how long changes stay unseen.
func (d *pairing) delays(r *Pair) {
	r.Link = d.appears("link", false)
	r.Negative = d.appears("negative", true)
	r.Renamed = d.changes("renamed-over", opRead, d.renameOver)
	r.Rewritten = d.changes("rewritten", opRead, d.rewrite)
	r.Kept = d.changes("rewritten-kept", opReadKept, d.rewrite)
	r.HeldRead = d.changes("rewritten-held", opHeldRead, d.rewrite)
	r.HeldSize = d.grows("size-held")
	r.Listed = d.lists()
}

// appears links new names, which the other side may have asked for before.
func (d *pairing) appears(stem string, asked bool) Delay {
	temp := d.path(stem + "-temp")
	if err := storage.WriteFile(d.FS, temp, []byte(stem)); err != nil {
		return Delay{Err: words(err)}
	}
	return d.measure(func(n int) (func() (bool, error), error) {
		name := fmt.Sprintf("%s-%d", stem, n)
		if asked {
			d.ask(opStat, name, nil)
		}
		err := errors.Join(d.FS.Link(temp, d.path(name)), storage.SyncDir(d.FS, d.dir))
		return func() (bool, error) {
			a := d.ask(opRead, name, nil)
			return a.Found, failed(a)
		}, err
	})
}

// changes gives a file that the other side knows a new content.
func (d *pairing) changes(name string, look op, change func(name string, content []byte) error) Delay {
	if err := storage.WriteFile(d.FS, d.path(name), record(name, -1)); err != nil {
		return Delay{Err: words(err)}
	}
	if look == opHeldRead {
		if met := d.until(func() (bool, error) {
			a := d.ask(opHold, name, nil)
			return a.Found, failed(a)
		}); met.Err != "" || met.Never {
			return met
		}
	}
	return d.measure(func(n int) (func() (bool, error), error) {
		d.ask(look, name, nil) // so that the old content is remembered, if it is
		want := record(name, n)
		return func() (bool, error) {
			a := d.ask(look, name, nil)
			return bytes.Equal(a.Content, want), failed(a)
		}, change(name, want)
	})
}

// record returns a content of always the same length.
func record(name string, n int) []byte {
	return fmt.Appendf(nil, "%-*s", recordLength, fmt.Sprint(name, n))
}

func (d *pairing) renameOver(name string, content []byte) error {
	return storage.ReplaceFile(d.FS, d.dir, name, content)
}

func (d *pairing) rewrite(name string, content []byte) error {
	f, err := d.FS.OpenReadWrite(d.path(name), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(bytes.Clone(content), 0)
	return errors.Join(err, f.Sync(), f.Close())
}

// grows lets a file grow that the other side holds open and reads the size of without force.
func (d *pairing) grows(name string) Delay {
	if err := storage.WriteFile(d.FS, d.path(name), nil); err != nil {
		return Delay{Err: words(err)}
	}
	if a := d.ask(opHold, name, nil); a.Err != "" || !a.Found {
		return Delay{Err: "the other side does not see the file" + a.Err}
	}
	f, err := d.FS.OpenReadWrite(d.path(name), vfs.WriteCategoryUnspecified)
	if err != nil {
		return Delay{Err: words(err)}
	}
	defer f.Close()
	return d.measure(func(n int) (func() (bool, error), error) {
		d.ask(opHeldSize, name, nil)
		_, err := f.WriteAt([]byte("x"), int64(n))
		return func() (bool, error) {
			a := d.ask(opHeldSize, name, nil)
			return a.Size == int64(n)+1, failed(a)
		}, errors.Join(err, f.Sync())
	})
}

// lists makes new names and waits until an ordinary listing has them.
func (d *pairing) lists() Delay {
	return d.measure(func(n int) (func() (bool, error), error) {
		name := fmt.Sprintf("new-%d", n)
		d.ask(opList, name, nil)
		return func() (bool, error) {
			a := d.ask(opList, name, nil)
			return slices.Contains(a.Names, name), failed(a)
		}, storage.WriteFile(d.FS, d.path(name), nil)
	})
}
