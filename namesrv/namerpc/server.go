package namerpc

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"holdfast"
	"holdfast/namesrv/namerpc/namepb"
	"holdfast/wire"
)

// Server answers the RPCs of name services: each request names the service it is meant for, and Server hands it to the
// implementation that was added under that id. It keeps no state of its own and starts no goroutines. Safe for
// concurrent use.
type Server struct {
	namepb.UnimplementedNameServiceServer

	services wire.Registry[holdfast.NameService]
}

// NewServer returns a server without services.
func NewServer() *Server { return new(Server) }

// Add makes svc answer the requests for id from now on, in place of one added before.
func (s *Server) Add(id holdfast.ServiceID, svc holdfast.NameService) { s.services.Add(id, svc) }

// Remove makes later requests for id fail with holdfast.NotOwner. Requests that have begun go on: the implementation
// waits for them in its own Close.
func (s *Server) Remove(id holdfast.ServiceID) { s.services.Remove(id) }

// Register puts the server on g, which was made with [wire.ServerOptions] or those of package objrpc.
func (s *Server) Register(g grpc.ServiceRegistrar) { namepb.RegisterNameServiceServer(g, s) }

const opServe = "namerpc.serve"

// service finds the implementation, unless decoding the request went wrong.
func (s *Server) service(id uint64, d *decoder) (holdfast.NameService, error) {
	svc, err := s.services.Find(opServe, id)
	if err != nil {
		return nil, err
	}
	switch d.err {
	case nil:
		return svc, nil
	case errOp:
		return nil, holdfast.E(opServe, holdfast.Unsupported, d.err)
	}
	return nil, holdfast.E(opServe, holdfast.Invalid, d.err)
}

// Lookup answers the RPC of that name; so do the methods below.
func (s *Server) Lookup(ctx context.Context, r *namepb.LookupRequest) (*namepb.LookupReply, error) {
	var d decoder
	questions := manyFromWire(r.GetQuestions(), d.lookup)
	svc, err := s.service(r.GetService(), &d)
	if err != nil {
		return &namepb.LookupReply{Error: errorToWire(err)}, nil
	}
	answers, err := svc.Lookup(ctx, questions)
	return &namepb.LookupReply{Error: errorToWire(err), Answers: manyToWire(answers, answerToWire)}, nil
}

// List answers the RPC.
func (s *Server) List(ctx context.Context, r *namepb.ListRequests) (*namepb.ListReply, error) {
	var d decoder
	requests := manyFromWire(r.GetRequests(), d.list)
	svc, err := s.service(r.GetService(), &d)
	if err != nil {
		return &namepb.ListReply{Error: errorToWire(err)}, nil
	}
	pages, err := svc.List(ctx, requests)
	return &namepb.ListReply{Error: errorToWire(err), Pages: manyToWire(pages, pageToWire)}, nil
}

// Apply answers the RPC.
func (s *Server) Apply(ctx context.Context, r *namepb.ApplyRequest) (*namepb.ApplyReply, error) {
	var d decoder
	txs := manyFromWire(r.GetTxs(), d.tx)
	svc, err := s.service(r.GetService(), &d)
	if err != nil {
		return &namepb.ApplyReply{Error: errorToWire(err)}, nil
	}
	results, err := svc.Apply(ctx, txs)
	return &namepb.ApplyReply{Error: errorToWire(err), Results: manyToWire(results, resultToWire)}, nil
}

// BucketEpoch answers the RPC.
func (s *Server) BucketEpoch(ctx context.Context, r *namepb.BucketEpochRequest) (*namepb.BucketEpochReply, error) {
	var d decoder
	root := d.id(r.GetRoot())
	svc, err := s.service(r.GetService(), &d)
	if err != nil {
		return &namepb.BucketEpochReply{Error: errorToWire(err)}, nil
	}
	epoch, err := svc.BucketEpoch(ctx, root)
	return &namepb.BucketEpochReply{Error: errorToWire(err), Epoch: epoch}, nil
}

// Usage answers the RPC.
func (s *Server) Usage(ctx context.Context, r *namepb.UsageRequest) (*namepb.UsageReply, error) {
	var d decoder
	root := d.id(r.GetRoot())
	svc, err := s.service(r.GetService(), &d)
	if err != nil {
		return &namepb.UsageReply{Error: errorToWire(err)}, nil
	}
	usage, err := svc.Usage(ctx, root)
	reply := usageToWire(usage)
	reply.Error = errorToWire(err)
	return reply, nil
}

// Settle answers the RPC.
func (s *Server) Settle(ctx context.Context, r *namepb.SettleRequest) (*namepb.SettleReply, error) {
	var d decoder
	objects := d.guarded(r.GetObjects())
	svc, err := s.service(r.GetService(), &d)
	if err != nil {
		return &namepb.SettleReply{Error: errorToWire(err)}, nil
	}
	fates, err := svc.Settle(ctx, holdfast.ServiceID(r.GetOs()), objects)
	return &namepb.SettleReply{Error: errorToWire(err), Fates: fatesToWire(fates)}, nil
}

// Changes answers the RPC.
func (s *Server) Changes(ctx context.Context, r *namepb.ChangesRequest) (*namepb.ChangesReply, error) {
	svc, err := s.service(r.GetService(), new(decoder))
	if err != nil {
		return &namepb.ChangesReply{Error: errorToWire(err)}, nil
	}
	changes, err := svc.Changes(ctx, r.GetAfter(), int(r.GetLimit()))
	return &namepb.ChangesReply{Error: errorToWire(err), Changes: manyToWire(changes, changeToWire)}, nil
}

// Intents answers the RPC.
func (s *Server) Intents(ctx context.Context, r *namepb.IntentsRequest) (*namepb.IntentsReply, error) {
	var d decoder
	after := holdfast.IntentID{Slot: d.slot(r.GetAfterSlot()), Seq: r.GetAfterSeq()}
	svc, err := s.service(r.GetService(), &d)
	if err != nil {
		return &namepb.IntentsReply{Error: errorToWire(err)}, nil
	}
	intents, err := svc.Intents(ctx, after, time.Duration(r.GetOlderThanNs()), int(r.GetLimit()))
	return &namepb.IntentsReply{Error: errorToWire(err), Intents: manyToWire(intents, intentToWire)}, nil
}

// Status answers the RPC.
func (s *Server) Status(ctx context.Context, r *namepb.StatusRequest) (*namepb.StatusReply, error) {
	svc, err := s.service(r.GetService(), new(decoder))
	if err != nil {
		return &namepb.StatusReply{Error: errorToWire(err)}, nil
	}
	status, err := svc.Status(ctx)
	reply := statusToWire(status)
	reply.Error = errorToWire(err)
	return reply, nil
}
