package confrpc

import (
	"time"

	"holdfast"
	"holdfast/membership/confrpc/confpb"
	"holdfast/membership/protocol"
	"holdfast/wire"
)

// errorToWire returns nil for nil; package wire says what survives.
func errorToWire(err error) *confpb.Error {
	if err == nil {
		return nil
	}
	e := wire.Flatten(err)
	return &confpb.Error{Kind: e.Kind, Op: e.Op, Id: e.ID, Text: e.Text, CauseKind: e.CauseKind}
}

// errorFromWire is the inverse of errorToWire.
func errorFromWire(e *confpb.Error) error {
	if e == nil {
		return nil
	}
	return wire.Error{Kind: e.Kind, Op: e.Op, ID: e.Id, Text: e.Text, CauseKind: e.CauseKind}.Restore()
}

func rangeFromWire(oldest, newest uint32) protocol.Range {
	const most = 1<<16 - 1
	return protocol.Range{Min: protocol.Version(min(oldest, most)), Max: protocol.Version(min(newest, most))}
}

func idsToWire(ids []holdfast.ServiceID) []uint64 {
	out := make([]uint64, len(ids))
	for i, id := range ids {
		out[i] = uint64(id)
	}
	return out
}

func idsFromWire(ids []uint64) []holdfast.ServiceID {
	out := make([]holdfast.ServiceID, len(ids))
	for i, id := range ids {
		out[i] = holdfast.ServiceID(id)
	}
	return out
}

func ownersToWire(owners []Owner) []*confpb.Owner {
	out := make([]*confpb.Owner, len(owners))
	for i, o := range owners {
		out[i] = &confpb.Owner{Service: uint64(o.Service), Epoch: uint64(o.Epoch), Host: uint64(o.Host), Address: o.Address}
	}
	return out
}

func ownersFromWire(owners []*confpb.Owner) []Owner {
	out := make([]Owner, len(owners))
	for i, o := range owners {
		out[i] = Owner{holdfast.ServiceID(o.GetService()), holdfast.Epoch(o.GetEpoch()), holdfast.HostID(o.GetHost()), o.GetAddress()}
	}
	return out
}

func statusToWire(s Status) *confpb.StatusReply {
	r := &confpb.StatusReply{
		Host: uint64(s.Host), Run: s.Run, Address: s.Address, UptimeNs: int64(s.Uptime), Config: s.Config, Leaving: s.Leaving,
	}
	for _, st := range s.Storages {
		r.Storages = append(r.Storages, &confpb.Storage{Name: st.Name, Works: st.Works, Text: st.Text})
	}
	for _, svc := range s.Services {
		r.Services = append(r.Services, &confpb.Service{
			Id: uint64(svc.ID), State: string(svc.State), Epoch: uint64(svc.Epoch), UptimeNs: int64(svc.Uptime), Address: svc.Address,
		})
	}
	return r
}

func statusFromWire(r *confpb.StatusReply) Status {
	s := Status{
		Host: holdfast.HostID(r.GetHost()), Run: r.GetRun(), Address: r.GetAddress(), Uptime: time.Duration(r.GetUptimeNs()),
		Config: r.GetConfig(), Leaving: r.GetLeaving(),
	}
	for _, st := range r.GetStorages() {
		s.Storages = append(s.Storages, StorageStatus{st.GetName(), st.GetWorks(), st.GetText()})
	}
	for _, svc := range r.GetServices() {
		s.Services = append(s.Services, ServiceStatus{
			ID: holdfast.ServiceID(svc.GetId()), State: State(svc.GetState()), Epoch: holdfast.Epoch(svc.GetEpoch()),
			Uptime: time.Duration(svc.GetUptimeNs()), Address: svc.GetAddress(),
		})
	}
	return s
}
