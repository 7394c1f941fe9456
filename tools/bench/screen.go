package bench

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	barWidth     = 24
	terminalTick = 250 * time.Millisecond
	plainTick    = 5 * time.Second
)

// screen shows progress on standard error: a bar redrawn in place on a
// terminal, a line every few seconds elsewhere.
type screen struct {
	w        io.Writer // nil: quiet
	terminal bool
}

func newScreen(w io.Writer, quiet bool) *screen {
	if quiet || w == nil {
		return &screen{}
	}
	s := &screen{w: w}
	if f, ok := w.(*os.File); ok {
		_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
		s.terminal = err == nil
	}
	return s
}

// moment is what the workers have done so far.
type moment struct{ ops, bytes, errors int64 }

// watch shows a phase's progress until the returned function is called, which
// waits for the display to end.
func (s *screen) watch(f *fleet, ph phase, begin time.Time) (stop func()) {
	for _, w := range f.workers {
		w.live.ops.Store(0)
		w.live.bytes.Store(0)
		w.live.errors.Store(0)
	}
	return s.show(ph, begin, func() moment {
		var m moment
		for _, w := range f.workers {
			m.ops += w.live.ops.Load()
			m.bytes += w.live.bytes.Load()
			m.errors += w.live.errors.Load()
		}
		return m
	})
}

// show calls now at every tick and prints what changed since the tick before.
func (s *screen) show(ph phase, begin time.Time, now func() moment) (stop func()) {
	if s.w == nil {
		return func() {}
	}
	tick := plainTick
	if s.terminal {
		tick = terminalTick
	}
	quit := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		var last moment
		for {
			select {
			case <-quit:
				if s.terminal {
					fmt.Fprint(s.w, "\r\x1b[K")
				}
				return
			case <-ticker.C:
				m := now()
				s.line(ph, time.Since(begin), tick, last, m)
				last = m
			}
		}
	})
	return func() {
		close(quit)
		wg.Wait()
	}
}

func (s *screen) line(ph phase, elapsed, tick time.Duration, last, m moment) {
	text := fmt.Sprintf("%s: %d ops, %.0f ops/s, %.1f MiB/s, %d errors", ph.name, m.ops,
		float64(m.ops-last.ops)/tick.Seconds(), float64(m.bytes-last.bytes)/(1<<20)/tick.Seconds(), m.errors)
	done, known := ph.progress(elapsed, m.ops)
	if known {
		text = fmt.Sprintf("%3.0f %% %s", done*100, text)
	}
	if !s.terminal {
		fmt.Fprintln(s.w, text)
		return
	}
	bar := ""
	if known {
		full := int(done * barWidth)
		bar = "[" + strings.Repeat("#", full) + strings.Repeat(".", barWidth-full) + "] "
	}
	fmt.Fprint(s.w, "\r"+bar+text+"\x1b[K")
}

// progress is the share of the phase that is done, if that can be known.
func (ph phase) progress(elapsed time.Duration, ops int64) (float64, bool) {
	switch {
	case ph.duration > 0:
		return min(elapsed.Seconds()/(ph.warmUp+ph.duration).Seconds(), 1), true
	case ph.total > 0:
		return min(float64(ops)/float64(ph.total), 1), true
	default:
		return 0, false
	}
}
