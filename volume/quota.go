package volume

import (
	"context"
	"encoding/json"

	"holdfast"
)

// A bucket's quota is kept in its record with the share of it that each name server may fill. A server refuses what would take the bucket
// over its share in the transaction that would commit it, so no race and no crash gets bytes past it. When a share is used up, the volume
// moves free room there from the others: it first makes the givers' shares smaller, then writes the new shares into the bucket's record on
// the condition that its epoch has not changed, then makes the taker's share larger.
//
// The invariant: what a server may fill, or holds if that is more, is never above its share in the bucket's record, and the shares in
// the record add up to the quota at most. So the bucket never holds more than its quota. Shares carry the epoch of the record they were
// taken from, and servers pass over settings older than what they have: a message that comes late changes nothing. A crash between the
// steps leaves shares that are too small; the next request that is refused sets them right.
//
// A bucket that held more than its quota when that was set has shares of nothing, until it holds less.

// quotaSetting is the name of the quota in a bucket's record.
const quotaSetting = "quota"

// maxRooms bounds how often room is made for one change: each time others may fill it first.
const maxRooms = 8

// quota is the setting: bytes in all, and by server.
type quota struct {
	Size   int64            `json:"size"`
	Shares map[string]int64 `json:"shares"`
}

// quotaOf returns the quota of a bucket, false if it has none.
func quotaOf(info *holdfast.BucketInfo) (quota, bool, error) {
	doc, ok := info.Settings[quotaSetting]
	if !ok {
		return quota{}, false, nil
	}
	var q quota
	if err := json.Unmarshal(doc, &q); err != nil {
		return quota{}, true, holdfast.E("volume.quota", holdfast.Corrupt, err)
	}
	return q, true, nil
}

// NewQuota returns the setting with which a bucket has a quota from its creation on.
func NewQuota(size int64) (name string, value []byte, err error) {
	if size <= 0 {
		return "", nil, fail("new quota", holdfast.Invalid, "")
	}
	value, err = json.Marshal(quota{Size: size, Shares: map[string]int64{}})
	return quotaSetting, value, err
}

// Quota returns how many bytes the bucket may hold, 0 if there is no bound.
func (b *Bucket) Quota() int64 {
	q, _, _ := quotaOf(b.info) // one that cannot be read is told to those who write
	return q.Size
}

// SetQuota bounds how many bytes a bucket may hold, in all its versions and unfinished uploads; 0 takes the bound away. A bucket that
// holds more already keeps it and does not grow. When SetQuota returns, the bound holds for everything committed from then on, through any
// volume; what would pass it is QuotaExceeded. Kinds: NotFound, Invalid.
func (v *Volume) SetQuota(ctx context.Context, name string, size int64) error {
	if size < 0 {
		return fail("set quota", holdfast.Invalid, name)
	}
	for range maxRaces {
		b, err := v.loadBucket(ctx, name)
		if err != nil {
			return err
		}
		err = b.setQuota(ctx, size)
		if err == nil || !holdfast.Is(err, holdfast.Conflict) {
			return wrap("set quota", name, err)
		}
	}
	return fail("set quota", holdfast.Conflict, name)
}

func (b *Bucket) setQuota(ctx context.Context, size int64) error {
	if size == 0 {
		if _, ok := b.info.Settings[quotaSetting]; !ok {
			return nil
		}
		set := holdfast.SetBucket{Root: b.info.Root, Epoch: b.info.Epoch, Settings: map[string][]byte{quotaSetting: nil}}
		if err := b.vol.setBucket(ctx, set); err != nil {
			return err
		}
		return b.eachServer(func(id holdfast.ServiceID) error {
			_, err := b.setShare(ctx, id, holdfast.SetShare{Epoch: b.info.Epoch + 1, Share: holdfast.NoShare})
			return err
		})
	}
	// Every server stops at what it holds. From here on the bucket does not grow, so what is counted stays true.
	d := deal{held: map[holdfast.ServiceID]int64{}}
	err := b.eachServer(func(id holdfast.ServiceID) error {
		r, err := b.lower(ctx, id, 0)
		d.held[id] = heldBy(r)
		return err
	})
	if err != nil {
		return err
	}
	if d.spread(size, 0, 0) != nil {
		clear(d.plan) // it holds more already
	}
	return b.publish(ctx, size, d.plan)
}

// deal is a distribution of a quota over the servers.
type deal struct {
	held map[holdfast.ServiceID]int64 // what they hold
	plan map[holdfast.ServiceID]int64 // what they may fill
}

// spread plans for each server what it holds and an even part of what is free, and for one in need as much as it lacks in addition.
func (d *deal) spread(size int64, needy holdfast.ServiceID, need int64) error {
	d.plan = make(map[holdfast.ServiceID]int64, len(d.held))
	free := size - need
	for _, n := range d.held {
		free -= n
	}
	if free < 0 {
		return fail("quota", holdfast.QuotaExceeded, "")
	}
	for id, n := range d.held {
		d.plan[id] = n + free/int64(len(d.held))
	}
	d.plan[needy] += need
	return nil
}

// makeRoomFor lets a change that a server refused be tried again, or says why not.
func (b *Bucket) makeRoomFor(ctx context.Context, c *change, refusal error) error {
	if c.rooms++; c.grows == nil || c.rooms > maxRooms {
		return refusal
	}
	unlock, err := b.vol.shares.lock(ctx, b.info.Root)
	if err != nil {
		return err
	}
	defer unlock()
	need, err := c.grows(ctx)
	if err != nil {
		return err
	}
	now, err := b.reload(ctx)
	if err != nil {
		return err
	}
	err = now.makeRoom(ctx, b.vol.router.owner(c.dir), need)
	if holdfast.Is(err, holdfast.QuotaExceeded) {
		return refusal
	}
	return err
}

// makeRoom gets a server room to grow by need. Nil means that it has it, or that others changed something and it is worth to try again.
func (b *Bucket) makeRoom(ctx context.Context, needy holdfast.ServiceID, need int64) error {
	q, ok, err := quotaOf(b.info)
	if err != nil {
		return err
	}
	if !ok { // the server's share is left over from a quota that was taken away
		_, err := b.setShare(ctx, needy, holdfast.SetShare{Epoch: b.info.Epoch, Share: holdfast.NoShare})
		return err
	}
	d := deal{held: map[holdfast.ServiceID]int64{}}
	share := map[holdfast.ServiceID]int64{}
	err = b.eachServer(func(id holdfast.ServiceID) error {
		r, err := b.setShare(ctx, id, holdfast.SetShare{})
		d.held[id], share[id] = heldBy(r), r.Share
		return err
	})
	if err != nil {
		return err
	}
	if granted := q.Shares[needy.String()]; granted-d.held[needy] >= need { // the server was not told, or has room by now
		r, err := b.setShare(ctx, needy, holdfast.SetShare{Epoch: b.info.Epoch, Share: granted})
		if err != nil || r.Epoch <= b.info.Epoch {
			return err
		}
		// It was lowered for a record that was never written, or is just being written: ours will take its place, or be refused.
	}
	if err := d.spread(q.Size, needy, need); err != nil {
		return err
	}
	total := int64(0)
	for id := range d.plan {
		if may := share[id]; may == holdfast.NoShare || may > d.plan[id] || q.Shares[id.String()] > d.plan[id] {
			r, err := b.lower(ctx, id, d.plan[id])
			if err != nil {
				return ignoreConflict(err)
			}
			d.plan[id] = max(d.plan[id], heldBy(r))
		}
		total += d.plan[id]
	}
	if total > q.Size { // it was written to meanwhile
		return nil
	}
	return ignoreConflict(b.publish(ctx, q.Size, d.plan))
}

// ignoreConflict leaves out what is worth to try again: another gateway moved shares, or the answer was lost.
func ignoreConflict(err error) error {
	if holdfast.Is(err, holdfast.Conflict) || holdfast.Is(err, holdfast.Unknown) {
		return nil
	}
	return err
}

// lower makes the share of a server smaller, for a record that is to follow on the present one: Conflict if that is there already.
func (b *Bucket) lower(ctx context.Context, id holdfast.ServiceID, share int64) (holdfast.Reply, error) {
	next := b.info.Epoch + 1
	r, err := b.setShare(ctx, id, holdfast.SetShare{Epoch: next, Share: share, Lower: true})
	if err == nil && r.Epoch > next {
		err = fail("quota", holdfast.Conflict, b.info.Name)
	}
	return r, err
}

// publish writes the shares into the bucket's record and tells the servers.
func (b *Bucket) publish(ctx context.Context, size int64, plan map[holdfast.ServiceID]int64) error {
	q := quota{Size: size, Shares: make(map[string]int64, len(plan))}
	for id, n := range plan {
		q.Shares[id.String()] = n
	}
	doc, err := json.Marshal(q)
	if err != nil {
		return wrap("quota", b.info.Name, err)
	}
	set := holdfast.SetBucket{Root: b.info.Root, Epoch: b.info.Epoch, Settings: map[string][]byte{quotaSetting: doc}}
	if err := b.vol.setBucket(ctx, set); err != nil {
		return err
	}
	return b.eachServer(func(id holdfast.ServiceID) error {
		_, err := b.setShare(ctx, id, holdfast.SetShare{Epoch: b.info.Epoch + 1, Share: plan[id]})
		return err
	})
}

// forgetShares removes the shares of a bucket that is gone. One that stays takes a few bytes and does no harm.
func (b *Bucket) forgetShares(ctx context.Context) {
	if _, ok := b.info.Settings[quotaSetting]; !ok {
		return
	}
	_ = b.eachServer(func(id holdfast.ServiceID) error {
		_, err := b.setShare(ctx, id, holdfast.SetShare{Epoch: b.info.Epoch + 1, Share: holdfast.NoShare})
		return err
	})
}

// eachServer calls f for each name server of the volume, up to the first error.
func (b *Bucket) eachServer(f func(holdfast.ServiceID) error) error {
	for _, id := range b.vol.router.services.SlotMap().Servers() {
		if err := f(id); err != nil {
			return err
		}
	}
	return nil
}

// setShare runs the operation on a server; Dir and Root are filled in.
func (b *Bucket) setShare(ctx context.Context, id holdfast.ServiceID, op holdfast.SetShare) (holdfast.Reply, error) {
	slots := b.vol.router.services.SlotMap().Held(id)
	if len(slots) == 0 {
		return holdfast.Reply{}, fail("quota", holdfast.Unavailable, id.String())
	}
	op.Dir, op.Root = holdfast.NewDirID(slots[0], [16]byte{}), b.info.Root
	res := b.vol.router.apply(ctx, []holdfast.Tx{{Ops: []holdfast.Op{op}}})[0]
	if res.Err != nil {
		return holdfast.Reply{}, res.Err
	}
	return res.Replies[0], nil
}

// heldBy returns the bytes of the bucket on a server, by its reply to a SetShare.
func heldBy(r holdfast.Reply) int64 { return r.Usage.Bytes + r.Usage.UploadBytes }

// mayHold refuses a body that no bucket of this quota has room for, before it is read: one that is larger than all of the quota, unless
// it replaces something as large.
func (b *Bucket) mayHold(ctx context.Context, op, key string, size int64, grows func(context.Context) (int64, error)) error {
	q, ok, err := quotaOf(b.info)
	if err != nil || !ok || size <= q.Size {
		return err
	}
	if n, err := grows(ctx); err != nil || n <= 0 {
		return err
	}
	return fail(op, holdfast.QuotaExceeded, key)
}

// growth returns by how much a put of so many bytes makes the bucket larger.
func (b *Bucket) growth(ctx context.Context, key string, size int64) (int64, error) {
	if b.info.Versioning == holdfast.VersioningEnabled {
		return size, nil
	}
	old, err := b.Head(ctx, key, Version{Null: b.info.Versioning == holdfast.VersioningSuspended})
	if holdfast.Is(err, holdfast.NotFound) {
		return size, nil
	}
	return size - old.Size, err
}

// partGrowth is growth for a part.
func (b *Bucket) partGrowth(ctx context.Context, key string, id holdfast.UploadID, number int, size int64) (int64, error) {
	page, err := b.ListParts(ctx, key, id, number-1, 1)
	if err == nil && len(page.Parts) == 1 && page.Parts[0].Part.Number == number {
		size -= page.Parts[0].Part.Size
	}
	return size, err
}
