package procstat

import (
	"os"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	line := "42 (a) b) (c) S 1 42 42 0 -1 4194560 100 0 0 0 250 31 0 0 20 0 8 0 5000 1 2 3"
	got, err := parseStat([]byte(line))
	if want := (CPU{2500 * time.Millisecond, 310 * time.Millisecond}); err != nil || got != want {
		t.Errorf("parseStat = %v, %v, want %v", got, err, want)
	}
	for _, bad := range []string{"", "42 comm S", "42 (c) S 1 2", "42 (c) S 1 42 42 0 -1 4194560 100 0 0 0 x 31"} {
		if _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("parseStat(%q) succeeds, want an error", bad)
		}
	}
}

func TestParseStatus(t *testing.T) {
	got := parseStatus([]byte("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t 1024 kB\nThreads:\t3\n"))
	if want := (Memory{1 << 20, 2 << 20}); got != want {
		t.Errorf("parseStatus = %v, want %v", got, want)
	}
}

// TestSelfBothWays wants the two sources to agree about this very process.
func TestSelfBothWays(t *testing.T) {
	for end := time.Now().Add(50 * time.Millisecond); time.Now().Before(end); {
	}
	self, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	proc, err := OfProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if d := (proc.Total() - self.Total()).Abs(); d > 100*time.Millisecond {
		t.Errorf("getrusage says %v, /proc %v", self.Total(), proc.Total())
	}
	m, err := MemoryOf(os.Getpid())
	if err != nil || m.Resident <= 0 || m.PeakResident < m.Resident {
		t.Errorf("MemoryOf = %+v, %v", m, err)
	}
	if _, err := OfProcess(1 << 30); err == nil {
		t.Error("OfProcess of no process succeeds")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("42 (a) S 1 42 42 0 -1 4194560 100 0 0 0 250 31 0 0"))
	f.Add([]byte("VmHWM:\t    2048 kB\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = parseStat(b)
		_ = parseStatus(b)
	})
}
