package layout

import (
	"encoding/binary"
	"time"

	"holdfast"
	"holdfast/storage/record"
)

// Heartbeat is what a host's process keeps rewriting in place to show that it is alive.
type Heartbeat struct {
	Incarnation holdfast.Incarnation
	Number      uint64 // of the incarnation
	Counter     uint64 // grows by one with each rewrite
	// T is the time without a new counter after which others may try to take over. Milliseconds on the mount.
	T time.Duration
	// Released says that this incarnation ended and holds nothing any more.
	Released bool
	Boot     [16]byte // boot id of the machine; zero if the kernel does not tell
}

// A heartbeat is a sealed record with magic "HFHB" whose payload is, little-endian:
//
//	 0 16  incarnation
//	16  8  number
//	24  8  counter
//	32  4  T in milliseconds
//	36  4  flags: 1 = released
//	40 16  boot id
const (
	heartbeatFormat  = 1
	heartbeatPayload = 56
	flagReleased     = 1
)

// HeartbeatSize is the length of the file. It fits a sector, so a rewrite is seldom seen half done.
const HeartbeatSize = 12 + heartbeatPayload

func heartbeatMagic() [4]byte { return [4]byte{'H', 'F', 'H', 'B'} }

// MaxT bounds T: what does not fit a day is not a heartbeat.
const MaxT = 24 * time.Hour

// Encode writes the record, [HeartbeatSize] bytes.
func (h Heartbeat) Encode() []byte {
	p := make([]byte, heartbeatPayload)
	copy(p, h.Incarnation[:])
	binary.LittleEndian.PutUint64(p[16:], h.Number)
	binary.LittleEndian.PutUint64(p[24:], h.Counter)
	binary.LittleEndian.PutUint32(p[32:], uint32(h.T/time.Millisecond))
	if h.Released {
		binary.LittleEndian.PutUint32(p[36:], flagReleased)
	}
	copy(p[40:], h.Boot[:])
	return record.Seal(heartbeatMagic(), heartbeatFormat, p)
}

// ParseHeartbeat reads the record. One seen half written is Corrupt: no information, read it again.
func ParseHeartbeat(b []byte) (Heartbeat, error) {
	p, err := record.Unseal(b, heartbeatMagic(), heartbeatFormat)
	if err != nil {
		return Heartbeat{}, err
	}
	if len(b) != HeartbeatSize || len(p) != heartbeatPayload {
		return Heartbeat{}, corrupt("heartbeat", "%d bytes", len(b))
	}
	flags := binary.LittleEndian.Uint32(p[36:])
	h := Heartbeat{
		Incarnation: holdfast.Incarnation(p[:16]),
		Number:      binary.LittleEndian.Uint64(p[16:]),
		Counter:     binary.LittleEndian.Uint64(p[24:]),
		T:           time.Duration(binary.LittleEndian.Uint32(p[32:])) * time.Millisecond,
		Released:    flags&flagReleased != 0,
		Boot:        [16]byte(p[40:]),
	}
	if flags&^flagReleased != 0 || h.T <= 0 || h.T > MaxT {
		return Heartbeat{}, corrupt("heartbeat", "flags %#x, T %v", flags, h.T)
	}
	return h, nil
}
