package index

import (
	"encoding/binary"

	"holdfast"
	"holdfast/objsrv/pool"
)

// The first byte of a key says what the row is. Numbers are big-endian, so rows are in the order of ids.
const (
	rowBitmap  = 'b' // class, file epoch, region → bits
	rowSums    = 'c' // object id, block → checksums of its sub-blocks
	rowDoubt   = 'g' // object id → home: below the settled mark, and yet not settled
	rowCounter = 'n' // → objects, bytes
	rowObject  = 'o' // object id → record
	rowScrub   = 's' // → object id up to which scrub has come
	rowFormat  = 'v' // → format number, service id
	rowSettled = 'w' // → object id up to which objects are settled
)

const objectKeyLen = 17

// AppendObjectKey appends the key of an object's record.
func AppendObjectKey(dst []byte, id holdfast.ObjectID) []byte {
	return appendID(append(dst, rowObject), id)
}

func appendID(dst []byte, id holdfast.ObjectID) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(id.Epoch))
	return binary.BigEndian.AppendUint64(dst, id.Counter)
}

func parseID(b []byte) (holdfast.ObjectID, bool) {
	if len(b) != 16 {
		return holdfast.ObjectID{}, false
	}
	return holdfast.ObjectID{
		Epoch:   holdfast.Epoch(binary.BigEndian.Uint64(b)),
		Counter: binary.BigEndian.Uint64(b[8:]),
	}, true
}

// parseObjectKey reads the id of an object or doubt row's key.
func parseObjectKey(key []byte) (holdfast.ObjectID, error) {
	if len(key) != objectKeyLen {
		return holdfast.ObjectID{}, corrupt("key of an object")
	}
	id, _ := parseID(key[1:])
	return id, nil
}

func appendDoubtKey(dst []byte, id holdfast.ObjectID) []byte {
	return appendID(append(dst, rowDoubt), id)
}

func appendSumsKey(dst []byte, id holdfast.ObjectID, block int) []byte {
	return binary.BigEndian.AppendUint16(appendID(append(dst, rowSums), id), uint16(block))
}

func appendBitmapKey(dst []byte, k pool.RegionKey) []byte {
	dst = append(dst, rowBitmap, byte(k.Class))
	dst = binary.BigEndian.AppendUint64(dst, uint64(k.File))
	return binary.BigEndian.AppendUint32(dst, k.Region)
}

func parseBitmapKey(key []byte) (pool.RegionKey, error) {
	if len(key) != 14 || key[1] >= pool.Classes {
		return pool.RegionKey{}, corrupt("key of a bitmap")
	}
	return pool.RegionKey{
		Class:  pool.Class(key[1]),
		File:   holdfast.Epoch(binary.BigEndian.Uint64(key[2:])),
		Region: binary.BigEndian.Uint32(key[10:]),
	}, nil
}
