package objrpc

import (
	"context"
	"slices"

	"google.golang.org/grpc"

	"holdfast/objsrv/objrpc/objectpb"
)

// serviceDesc is the generated description with the handlers of the four data calls replaced by ones that use the
// hand-written frames.
func serviceDesc() *grpc.ServiceDesc {
	desc := objectpb.ObjectService_ServiceDesc
	desc.Methods = slices.Clone(desc.Methods)
	for i := range desc.Methods {
		switch desc.Methods[i].MethodName {
		case "CreateWhole":
			desc.Methods[i].Handler = handleCreateWhole
		case "ReadWhole":
			desc.Methods[i].Handler = handleReadWhole
		}
	}
	desc.Streams = []grpc.StreamDesc{
		{StreamName: "Create", ClientStreams: true, Handler: func(srv any, stream grpc.ServerStream) error {
			return srv.(*Server).createStream(stream)
		}},
		{StreamName: "Read", ServerStreams: true, Handler: func(srv any, stream grpc.ServerStream) error {
			return srv.(*Server).readStream(stream)
		}},
	}
	return &desc
}

func handleCreateWhole(srv any, ctx context.Context, dec func(any) error, icept grpc.UnaryServerInterceptor) (any, error) {
	in := new(createFrame)
	if err := dec(in); err != nil {
		return nil, err
	}
	defer in.free()
	serve := func(ctx context.Context, req any) (any, error) {
		return srv.(*Server).createWhole(ctx, req.(*createFrame)), nil
	}
	if icept == nil {
		return serve(ctx, in)
	}
	return icept(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: objectpb.ObjectService_CreateWhole_FullMethodName}, serve)
}

func handleReadWhole(srv any, ctx context.Context, dec func(any) error, icept grpc.UnaryServerInterceptor) (any, error) {
	in := new(objectpb.ReadRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	serve := func(ctx context.Context, req any) (any, error) {
		last, err := srv.(*Server).read(ctx, req.(*objectpb.ReadRequest), nil)
		if err != nil {
			return nil, err
		}
		return last, nil
	}
	if icept == nil {
		return serve(ctx, in)
	}
	return icept(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: objectpb.ObjectService_ReadWhole_FullMethodName}, serve)
}
