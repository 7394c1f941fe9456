package objrpc

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"holdfast"
	"holdfast/objsrv/objrpc/objectpb"
	"holdfast/wire"
)

// Server answers the RPCs of object services: each request names the service it is meant for, and Server hands it to
// the implementation that was added under that id. It keeps no state of its own and starts no goroutines. Safe for
// concurrent use.
type Server struct {
	objectpb.UnimplementedObjectServiceServer
	pool framePool

	services wire.Registry[holdfast.ObjectService]
}

// NewServer returns a server without services.
func NewServer() *Server { return new(Server) }

// Add makes svc answer the requests for id from now on, in place of one added before.
func (s *Server) Add(id holdfast.ServiceID, svc holdfast.ObjectService) { s.services.Add(id, svc) }

// Remove makes later requests for id fail with holdfast.NotOwner. Requests that have begun go on: the implementation
// waits for them in its own Close.
func (s *Server) Remove(id holdfast.ServiceID) { s.services.Remove(id) }

// Register puts the server on g, which was made with [ServerOptions].
func (s *Server) Register(g grpc.ServiceRegistrar) { g.RegisterService(serviceDesc(), s) }

func (s *Server) service(id uint64) (holdfast.ObjectService, error) {
	return s.services.Find("objrpc.serve", id)
}

// invalid is the answer to a request that breaks the encoding's rules.
func invalid(err error) error { return holdfast.E("objrpc.serve", holdfast.Invalid, err) }

// Pin answers the RPC of that name; so do the methods below.
func (s *Server) Pin(ctx context.Context, r *objectpb.PinRequest) (*objectpb.PinReply, error) {
	svc, err := s.service(r.GetService())
	if err != nil {
		return &objectpb.PinReply{Error: errorToWire(err)}, nil
	}
	ids, err := idsFromWire(r.GetObjects())
	if err != nil {
		return &objectpb.PinReply{Error: errorToWire(invalid(err))}, nil
	}
	err = svc.Pin(ctx, ids, time.Duration(r.GetTtlNs()))
	return &objectpb.PinReply{Error: errorToWire(err)}, nil
}

// Free answers the RPC.
func (s *Server) Free(ctx context.Context, r *objectpb.FreeRequest) (*objectpb.FreeReply, error) {
	svc, err := s.service(r.GetService())
	if err != nil {
		return &objectpb.FreeReply{Error: errorToWire(err)}, nil
	}
	ids, err := idsFromWire(r.GetObjects())
	if err != nil {
		return &objectpb.FreeReply{Error: errorToWire(invalid(err))}, nil
	}
	return &objectpb.FreeReply{Error: errorToWire(svc.Free(ctx, ids))}, nil
}

// Stat answers the RPC.
func (s *Server) Stat(ctx context.Context, r *objectpb.StatRequest) (*objectpb.StatReply, error) {
	svc, err := s.service(r.GetService())
	if err != nil {
		return &objectpb.StatReply{Error: errorToWire(err)}, nil
	}
	ids, err := idsFromWire(r.GetObjects())
	if err != nil {
		return &objectpb.StatReply{Error: errorToWire(invalid(err))}, nil
	}
	infos, err := svc.Stat(ctx, ids)
	return &objectpb.StatReply{Error: errorToWire(err), Infos: infosToWire(infos)}, nil
}

// Objects answers the RPC.
func (s *Server) Objects(ctx context.Context, r *objectpb.ObjectsRequest) (*objectpb.ObjectsReply, error) {
	svc, err := s.service(r.GetService())
	if err != nil {
		return &objectpb.ObjectsReply{Error: errorToWire(err)}, nil
	}
	after := holdfast.ObjectID{Epoch: holdfast.Epoch(r.GetAfterEpoch()), Counter: r.GetAfterCounter()}
	infos, err := svc.Objects(ctx, after, int(r.GetLimit()))
	return &objectpb.ObjectsReply{Error: errorToWire(err), Infos: infosToWire(infos)}, nil
}

// Status answers the RPC.
func (s *Server) Status(ctx context.Context, r *objectpb.StatusRequest) (*objectpb.StatusReply, error) {
	svc, err := s.service(r.GetService())
	if err != nil {
		return &objectpb.StatusReply{Error: errorToWire(err)}, nil
	}
	status, err := svc.Status(ctx)
	reply := statusToWire(status)
	reply.Error = errorToWire(err)
	return reply, nil
}
