package group

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
)

// The last event of each host and of each service is what is told, in the order in which they first had something to tell.
func TestMailboxKeepsTheLast(t *testing.T) {
	peer := func(host holdfast.HostID, run uint64) Peer { return Peer{Member: Member{Host: host, Run: run}} }
	hint := func(service holdfast.ServiceID, epoch holdfast.Epoch) Event {
		return Event{Kind: Hinted, Hint: Hint{Service: service, Host: 1, Epoch: epoch}}
	}
	for _, tc := range []struct {
		name   string
		posted []Event
		want   []Event
	}{
		{"a host that came and says something else", []Event{{Kind: Joined, Peer: peer(1, 1)}, {Kind: Updated, Peer: peer(1, 2)}},
			[]Event{{Kind: Joined, Peer: peer(1, 2)}}},
		{"a host that went and came", []Event{{Kind: Lost, Peer: peer(1, 1)}, {Kind: Joined, Peer: peer(1, 2)}},
			[]Event{{Kind: Joined, Peer: peer(1, 2)}}},
		{"a host that came and went", []Event{{Kind: Joined, Peer: peer(1, 1)}, {Kind: Lost, Peer: peer(1, 1)}},
			[]Event{{Kind: Lost, Peer: peer(1, 1)}}},
		{"two hosts", []Event{{Kind: Lost, Peer: peer(1, 1)}, {Kind: Joined, Peer: peer(2, 1)}, {Kind: Joined, Peer: peer(1, 2)}},
			[]Event{{Kind: Joined, Peer: peer(1, 2)}, {Kind: Joined, Peer: peer(2, 1)}}},
		{"a conflict is not forgotten", []Event{{Kind: Conflicted, Peer: peer(1, 1)}, {Kind: Joined, Peer: peer(1, 1)}},
			[]Event{{Kind: Conflicted, Peer: peer(1, 1)}, {Kind: Joined, Peer: peer(1, 1)}}},
		{"hints", []Event{hint(1, 1), hint(2, 1), hint(1, 2)}, []Event{hint(1, 2), hint(2, 1)}},
	} {
		m := newMailbox()
		for _, e := range tc.posted {
			m.post(e)
		}
		if got := m.take(); fmt.Sprint(got) != fmt.Sprint(tc.want) {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
		if left := m.take(); len(left) != 0 {
			t.Errorf("%s: %v is left", tc.name, left)
		}
	}
}

// A flood of complaints does not become a flood of log lines, and what was left out is counted.
func TestLogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		w := &logWriter{log: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo}))}
		lines := func() int { n := strings.Count(out.String(), "\n"); out.Reset(); return n }
		for range 10 * maxLines {
			fmt.Fprintln(w, "[DEBUG] memberlist: nobody asked for this")
		}
		if n := lines(); n != 0 {
			t.Errorf("%d lines below the level, want none", n)
		}
		for range 10 * maxLines {
			fmt.Fprintln(w, "[ERR] memberlist: no")
		}
		if n := lines(); n != maxLines {
			t.Errorf("%d lines, want %d", n, maxLines)
		}
		time.Sleep(linesTime) // of the bubble's clock
		fmt.Fprintln(w, "[WARN] memberlist: again")
		want := fmt.Sprintf("lines=%d", 9*maxLines)
		if text := out.String(); !strings.Contains(text, want) || !strings.Contains(text, "level=INFO") || !strings.Contains(text, "text=again") {
			t.Errorf("got %s, want %s and the line", text, want)
		}
	})
}

func TestLevels(t *testing.T) {
	for line, want := range map[string]string{
		"[DEBUG] memberlist: x": "DEBUG x", "[INFO] memberlist: x": "DEBUG x", "[WARN] memberlist: x [y] z": "INFO x [y] z",
		"[ERR] memberlist: x": "WARN x", "[ERR] x": "WARN x", "x": "WARN x", "": "WARN ", "[x": "WARN [x",
	} {
		if level, text := parseLine(line); fmt.Sprint(level, " ", text) != want {
			t.Errorf("%q: got %v %q, want %q", line, level, text, want)
		}
	}
}
