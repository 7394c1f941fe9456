package bench

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"holdfast/tools/bench/payload"
	"holdfast/tools/bench/sign"
)

// maxDirs bounds --keys dirs:N.
const maxDirs = 1 << 20

// keyspace maps an object's index to its name. Names look random, so that
// neighbouring indices land far apart in the server's order, as they do with
// most real key schemes; the map is a bijection, so no two indices collide.
type keyspace struct {
	prefix  string // as given
	escaped []byte // the same for a request line
	xml     string // the same for an XML body
	dirs    uint64 // 0: flat
	seed    uint64
}

func newKeyspace(prefix, layout string, seed uint64) (*keyspace, error) {
	k := &keyspace{prefix: prefix, escaped: sign.AppendPath(nil, prefix), xml: escapeXML(prefix), seed: payload.Mix(seed)}
	switch n, dirs := strings.CutPrefix(layout, "dirs:"); {
	case layout == "flat":
	case dirs:
		count, err := strconv.ParseUint(n, 10, 32)
		if err != nil || count == 0 || count > maxDirs {
			return nil, fmt.Errorf("%q is not a number of directories from 1 to %d", n, maxDirs)
		}
		k.dirs = count
	default:
		return nil, fmt.Errorf("%q is neither flat nor dirs:N", layout)
	}
	return k, nil
}

// appendPath appends the percent-encoded name of index.
func (k *keyspace) appendPath(dst []byte, index uint64) []byte {
	return k.appendRest(append(dst, k.escaped...), index)
}

// appendXML appends the name of index as XML character data.
func (k *keyspace) appendXML(dst []byte, index uint64) []byte {
	return k.appendRest(append(dst, k.xml...), index)
}

// appendRest appends what follows the prefix: characters that stand for
// themselves in every encoding.
func (k *keyspace) appendRest(dst []byte, index uint64) []byte {
	h := payload.Mix(index ^ k.seed)
	if k.dirs > 0 {
		d := h % k.dirs
		dst = append(dst, 'd')
		for width := uint64(100000); width > 1 && d < width; width /= 10 {
			dst = append(dst, '0')
		}
		dst = strconv.AppendUint(dst, d, 10)
		dst = append(dst, '/')
	}
	var b [8]byte
	for i := range b {
		b[i] = byte(h >> (56 - 8*i))
	}
	return hex.AppendEncode(dst, b[:])
}

// name is the name of index, for messages.
func (k *keyspace) name(index uint64) string { return string(k.appendRest([]byte(k.prefix), index)) }

func escapeXML(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;", "\n", "&#10;").Replace(s)
}
