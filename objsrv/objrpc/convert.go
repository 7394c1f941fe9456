package objrpc

import (
	"errors"
	"math"
	"time"

	"holdfast"
	"holdfast/objsrv/objrpc/objectpb"
)

var (
	errOddIDs = errors.New("odd number of id halves")
	errRange  = errors.New("number is out of range")
)

func idsToWire(ids []holdfast.ObjectID) []uint64 {
	wire := make([]uint64, 0, 2*len(ids))
	for _, id := range ids {
		wire = append(wire, uint64(id.Epoch), id.Counter)
	}
	return wire
}

func idsFromWire(wire []uint64) ([]holdfast.ObjectID, error) {
	if len(wire)%2 != 0 {
		return nil, errOddIDs
	}
	ids := make([]holdfast.ObjectID, len(wire)/2)
	for i := range ids {
		ids[i] = holdfast.ObjectID{Epoch: holdfast.Epoch(wire[2*i]), Counter: wire[2*i+1]}
	}
	return ids, nil
}

func linkToWire(l holdfast.Link) *objectpb.Link {
	return &objectpb.Link{
		Os:      uint64(l.OS),
		Epoch:   uint64(l.Object.Epoch),
		Counter: l.Object.Counter,
		Home:    uint32(l.Home),
		Size:    l.Size,
		Crc:     l.CRC,
	}
}

func linkFromWire(w *objectpb.Link) (holdfast.Link, error) {
	if w.GetHome() > math.MaxUint16 {
		return holdfast.Link{}, errRange
	}
	return holdfast.Link{
		OS:     holdfast.ServiceID(w.GetOs()),
		Object: holdfast.ObjectID{Epoch: holdfast.Epoch(w.GetEpoch()), Counter: w.GetCounter()},
		Home:   holdfast.Slot(w.GetHome()),
		Size:   w.GetSize(),
		CRC:    w.GetCrc(),
	}, nil
}

func infosToWire(infos []holdfast.ObjectInfo) []*objectpb.ObjectInfo {
	wire := make([]*objectpb.ObjectInfo, len(infos))
	slab := make([]objectpb.ObjectInfo, len(infos)) // one allocation instead of one per record
	for i := range infos {
		in, w := &infos[i], &slab[i]
		w.Epoch, w.Counter = uint64(in.Object.Epoch), in.Object.Counter
		w.Home, w.Size, w.Crc = uint32(in.Home), in.Size, in.CRC
		w.CreatedS, w.CreatedNs = timeToWire(in.Created)
		w.Settled, w.Stored = in.Settled, in.Stored
		wire[i] = w
	}
	return wire
}

func infosFromWire(wire []*objectpb.ObjectInfo) ([]holdfast.ObjectInfo, error) {
	infos := make([]holdfast.ObjectInfo, len(wire))
	for i, w := range wire {
		if w.GetHome() > math.MaxUint16 || w.GetCreatedNs() >= uint32(time.Second) {
			return nil, errRange
		}
		infos[i] = holdfast.ObjectInfo{
			Object:  holdfast.ObjectID{Epoch: holdfast.Epoch(w.GetEpoch()), Counter: w.GetCounter()},
			Home:    holdfast.Slot(w.GetHome()),
			Size:    w.GetSize(),
			CRC:     w.GetCrc(),
			Created: timeFromWire(w.GetCreatedS(), w.GetCreatedNs()),
			Settled: w.GetSettled(),
			Stored:  w.GetStored(),
		}
	}
	return infos, nil
}

func statusToWire(s holdfast.ObjectStatus) *objectpb.StatusReply {
	return &objectpb.StatusReply{
		Objects:   s.Objects,
		Bytes:     s.Bytes,
		Allocated: s.Allocated,
		Reserved:  s.Reserved,
		Free:      s.Free,
		InFlight:  s.InFlight,
	}
}

func statusFromWire(w *objectpb.StatusReply) holdfast.ObjectStatus {
	return holdfast.ObjectStatus{
		Objects:   w.GetObjects(),
		Bytes:     w.GetBytes(),
		Allocated: w.GetAllocated(),
		Reserved:  w.GetReserved(),
		Free:      w.GetFree(),
		InFlight:  w.GetInFlight(),
	}
}

// unixOfZero is Go's zero time in seconds since 1970. Times travel relative to it, so that the zero time is the
// absent one; the sums below may wrap, both ways alike.
const unixOfZero = -62135596800

func timeToWire(t time.Time) (seconds int64, nanoseconds uint32) {
	return t.Unix() - unixOfZero, uint32(t.Nanosecond())
}

func timeFromWire(seconds int64, nanoseconds uint32) time.Time {
	return time.Unix(seconds+unixOfZero, int64(nanoseconds)).UTC()
}
