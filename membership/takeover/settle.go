package takeover

import (
	"holdfast"
	"holdfast/membership/layout"
	"holdfast/storage"
)

// settle decides every epoch below our claim that is undecided, from the top down to the highest open one, and returns
// that one's outcome, or the zero value if none ever opened. Below an open epoch all are decided: its opener saw to it.
func (c *Claimant) settle(dir layout.Service, mine layout.Claim) (layout.Outcome, error) {
	for e := mine.Epoch - 1; e > 0; e-- {
		o, err := c.voidIfUndecided(dir, e, mine.Nonce)
		if err != nil || o.Open {
			return o, err
		}
	}
	return layout.Outcome{}, nil
}

// voidIfUndecided returns the outcome of an epoch, making it void if it has none. It does not look first: that a file is
// not seen proves nothing, but that its creation is won does.
func (c *Claimant) voidIfUndecided(dir layout.Service, e holdfast.Epoch, nonce storage.Nonce) (layout.Outcome, error) {
	if o, decided, err := c.outcome(dir, e); err == nil && decided {
		return o, nil // a file that is seen does prove something: it is never changed
	}
	void := layout.Outcome{Epoch: e, Nonce: nonce}
	switch won, found, err := storage.CreateExclusive(c.FS, dir.Claims(), layout.OutcomeName(e), void.Encode()); won {
	case storage.Won:
		return void, nil
	case storage.Lost:
		return layout.ParseOutcome(found)
	default:
		return layout.Outcome{}, err
	}
}

// outcome returns the outcome of an epoch if it is seen.
func (c *Claimant) outcome(dir layout.Service, e holdfast.Epoch) (o layout.Outcome, decided bool, err error) {
	b, err := storage.ReadFile(c.FS, c.FS.PathJoin(dir.Claims(), layout.OutcomeName(e)), layout.MaxFile)
	if holdfast.Is(err, holdfast.NotFound) {
		return layout.Outcome{}, false, nil
	}
	if err != nil {
		return layout.Outcome{}, false, err
	}
	o, err = layout.ParseOutcome(b)
	return o, err == nil, err
}
