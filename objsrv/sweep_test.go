package objsrv_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"holdfast"
)

type allCommitted struct{}

// A home that does not answer leaves only its own objects in doubt.
func TestSweepWithADeadHome(t *testing.T) {
	c := newClock()
	opt := crashOptions(newDisk(t), 1, c, true)
	n := &deadHome{dead: 5}
	opt.Names = n
	e := mustOpen(t, opt)
	ctx := context.Background()
	var ids []holdfast.ObjectID
	for i := range 10 {
		link, err := e.Create(ctx, holdfast.CreateRequest{Home: holdfast.Slot(i), Size: 3}, strings.NewReader("abc"))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, link.Object)
	}
	if r, err := e.Sweep(ctx); err != nil || r.Asked != 0 {
		t.Errorf("Sweep before the guard period = %+v, %v", r, err)
	}
	c.Add(holdfast.GuardPeriod + time.Second)
	r, err := e.Sweep(ctx)
	if err != nil || r.Asked != 10 || r.Doubtful != 1 || r.Freed != 4 {
		t.Errorf("Sweep = %+v, %v, want 10 asked, 4 freed, 1 doubtful", r, err)
	}
	infos, err := e.Stat(ctx, ids)
	if err != nil {
		t.Fatal(err)
	}
	for i, in := range infos {
		gone, settled := i%2 == 1 && i != 5, i%2 == 0
		if (in.Size < 0) != gone || in.Settled != settled {
			t.Errorf("object of home %d: %+v, want gone %v, settled %v", i, in, gone, settled)
		}
	}
	n.dead = 9999
	if r, err := e.Sweep(ctx); err != nil || r.Asked != 1 || r.Freed != 1 {
		t.Errorf("Sweep when the home is back = %+v, %v, want 1 asked and freed", r, err)
	}
	if r, err := e.Sweep(ctx); err != nil || r.Asked != 0 {
		t.Errorf("one more Sweep = %+v, %v, want nothing asked", r, err)
	}
	wantSound(t, e, true)
	end(e)
	ended.Wait()
}

// deadHome dooms odd homes, and does not answer for one.
type deadHome struct{ dead holdfast.Slot }

func (d *deadHome) Settle(_ context.Context, _ holdfast.ServiceID, objects []holdfast.GuardedObject) ([]holdfast.Fate, error) {
	fates := make([]holdfast.Fate, len(objects))
	for i, o := range objects {
		if o.Home == d.dead {
			return nil, errors.New("no answer")
		}
		if fates[i] = holdfast.FateCommitted; o.Home%2 == 1 {
			fates[i] = holdfast.FateDoomed
		}
	}
	return fates, nil
}
