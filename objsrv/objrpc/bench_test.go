package objrpc

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"syscall"
	"testing"

	"google.golang.org/protobuf/proto"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"

	"holdfast"
	"holdfast/objsrv/objrpc/objectpb"
)

// cpu reports the processor time of the whole process per operation: client, server and kernel together.
func cpu(b *testing.B) func() {
	var before, after syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &before); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	return func() {
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &after); err != nil {
			b.Fatal(err)
		}
		spent := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
		b.ReportMetric(float64(spent)/1e3/float64(b.N), "cpu-µs/op")
	}
}

var benchSizes = []int{4 << 10, 64 << 10, FrameData, 16 << 20}

// benchServices are what the benchmarks compare: a service that does nothing, called directly and over a socket.
func benchServices(b *testing.B) map[string]holdfast.ObjectService {
	d := &discard{memStore: *newMemStore(testID), zeros: make([]byte, 1<<20)}
	c, _ := overTCP(b, d)
	return map[string]holdfast.ObjectService{"direct": d, "tcp": c}
}

func BenchmarkCreate(b *testing.B) {
	for name, svc := range benchServices(b) {
		for _, size := range benchSizes {
			b.Run(fmt.Sprintf("%s/%dKiB", name, size>>10), func(b *testing.B) {
				data := make([]byte, size)
				b.SetBytes(int64(size))
				defer cpu(b)()
				for range b.N {
					if _, err := svc.Create(context.Background(), holdfast.CreateRequest{Size: int64(size)}, bytes.NewReader(data)); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for name, svc := range benchServices(b) {
		for _, size := range benchSizes {
			b.Run(fmt.Sprintf("%s/%dKiB", name, size>>10), func(b *testing.B) {
				b.SetBytes(int64(size))
				defer cpu(b)()
				for range b.N {
					if _, err := svc.Read(context.Background(), holdfast.ReadRequest{Length: int64(size)}, io.Discard); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkParallel4KiB(b *testing.B) {
	for name, svc := range benchServices(b) {
		b.Run(name+"/create", func(b *testing.B) {
			data := make([]byte, 4<<10)
			b.SetParallelism(8)
			defer cpu(b)()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := svc.Create(context.Background(), holdfast.CreateRequest{Size: 4 << 10}, bytes.NewReader(data)); err != nil {
						b.Error(err)
					}
				}
			})
		})
		b.Run(name+"/read", func(b *testing.B) {
			b.SetParallelism(8)
			defer cpu(b)()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := svc.Read(context.Background(), holdfast.ReadRequest{Length: 4 << 10}, io.Discard); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

// BenchmarkFrame is why the frames are written by hand: one full data frame through the codec and out again.
func BenchmarkFrame(b *testing.B) {
	data := make([]byte, FrameData)
	spread := func(msg mem.BufferSlice) mem.BufferSlice { // as it arrives, in pieces of 16 KiB
		var pieces mem.BufferSlice
		for raw := msg.Materialize(); len(raw) > 0; raw = raw[min(len(raw), 16<<10):] {
			pieces = append(pieces, mem.SliceBuffer(raw[:min(len(raw), 16<<10)]))
		}
		return pieces
	}
	b.Run("hand", func(b *testing.B) {
		c := newFrameCodec()
		arrived := spread(newCreateFrame(1, nil, false, mem.SliceBuffer(data)).encode())
		b.SetBytes(FrameData)
		defer cpu(b)()
		for range b.N {
			out, err := c.Marshal(newCreateFrame(1, nil, false, mem.SliceBuffer(data)))
			if err != nil {
				b.Fatal(err)
			}
			out.Free()
			var f createFrame
			if err := c.Unmarshal(arrived, &f); err != nil {
				b.Fatal(err)
			}
			_, _ = io.CopyBuffer(io.Discard, &f.payload, nil)
			f.free()
		}
	})
	b.Run("generated", func(b *testing.B) {
		c := encoding.GetCodecV2("proto")
		raw, err := proto.Marshal(&objectpb.CreateFrame{Data: data})
		if err != nil {
			b.Fatal(err)
		}
		arrived := spread(mem.BufferSlice{mem.SliceBuffer(raw)})
		b.SetBytes(FrameData)
		defer cpu(b)()
		for range b.N {
			out, err := c.Marshal(&objectpb.CreateFrame{Data: data})
			if err != nil {
				b.Fatal(err)
			}
			out.Free()
			var f objectpb.CreateFrame
			if err := c.Unmarshal(arrived, &f); err != nil {
				b.Fatal(err)
			}
			_, _ = io.Discard.Write(f.Data)
		}
	})
}
