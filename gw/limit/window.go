package limit

import (
	"fmt"
	"strconv"
	"strings"
)

// budget is how a limit is spent: so much in each window of so many seconds. One operation costs opCost, so that a limit per minute
// gives a whole amount per second.
type budget struct {
	seconds   int64
	perWindow int64
	cost      int64 // the least that is spent at a time
}

// opCost is what one operation takes of a budget.
const opCost = 60

// opBudget is the budget of a limit in operations a minute.
func opBudget(perMinute int64) budget {
	seconds := int64(60)
	switch {
	case perMinute >= 600:
		seconds = 1
	case perMinute >= 60:
		seconds = 10
	}
	return budget{seconds: seconds, perWindow: perMinute * seconds, cost: opCost}
}

// outBudget is the budget of a limit in KB a second.
func outBudget(kbPerSecond int64) budget {
	return budget{seconds: 1, perWindow: kbPerSecond << 10, cost: 1}
}

// slices is into how many parts a budget is taken.
const slices = 4

// window returns the number of the window of a moment, in seconds since 1970.
func (b budget) window(now int64) int64 { return now / b.seconds }

// ledger is the state of a limit that gateways share.
type ledger struct {
	window int64
	spent  int64 // of the window's budget; negative if a part of an operation was left over from the window before
}

// take moves the ledger on to the present window, if it is behind, and takes want or, if there is more, a slice. It returns 0 and changes
// nothing else if not even want is left.
func (l *ledger) take(b budget, now, want int64) int64 {
	if l.window < now {
		carry := int64(0)
		if l.window+1 == now {
			carry = max(0, b.perWindow-l.spent) % b.cost
		}
		*l = ledger{window: now, spent: -carry}
	}
	left := b.perWindow - l.spent
	if left < want {
		return 0
	}
	part := b.perWindow / slices
	got := min(left-left%b.cost, max(want, part-part%b.cost))
	l.spent += got
	return got
}

// String writes the value of a record.
func (l ledger) String() string { return fmt.Sprintf("%d %d", l.window, l.spent) }

// parseLedger reads a record; what cannot be read is a new one.
func parseLedger(value string) ledger {
	w, s, ok := strings.Cut(value, " ")
	window, err := strconv.ParseInt(w, 10, 64)
	spent, err2 := strconv.ParseInt(s, 10, 64)
	if !ok || err != nil || err2 != nil {
		return ledger{}
	}
	return ledger{window, spent}
}
