package namerpc

import (
	"slices"
	"strings"

	"holdfast"
	"holdfast/namesrv/namerpc/namepb"
)

// settingsToWire keeps a nil value, which removes the setting, apart from an empty one, and sorts, so that equal
// requests have equal bytes.
func settingsToWire(settings map[string][]byte) []*namepb.Setting {
	if len(settings) == 0 {
		return nil
	}
	out := make([]*namepb.Setting, 0, len(settings))
	for name, value := range settings {
		out = append(out, &namepb.Setting{Name: []byte(name), Value: value})
	}
	slices.SortFunc(out, func(a, b *namepb.Setting) int { return strings.Compare(string(a.Name), string(b.Name)) })
	return out
}

func settingsFromWire(wire []*namepb.Setting) map[string][]byte {
	if len(wire) == 0 {
		return nil
	}
	out := make(map[string][]byte, len(wire))
	for _, w := range wire {
		out[string(w.GetName())] = w.GetValue()
	}
	return out
}

func bucketToWire(b *holdfast.BucketInfo) *namepb.Bucket {
	w := &namepb.Bucket{
		Name:       []byte(b.Name),
		Root:       idToWire(b.Root),
		Owner:      []byte(b.Owner),
		Versioning: uint32(b.Versioning),
		ObjectLock: b.ObjectLock,
		Epoch:      b.Epoch,
		Settings:   settingsToWire(b.Settings),
	}
	w.CreatedS, w.CreatedNs = timeToWire(b.Created)
	return w
}

func (d *decoder) bucket(w *namepb.Bucket) holdfast.BucketInfo {
	if w == nil {
		return holdfast.BucketInfo{}
	}
	return holdfast.BucketInfo{
		Name:       string(w.Name),
		Root:       d.id(w.Root),
		Owner:      string(w.Owner),
		Created:    d.time(w.CreatedS, w.CreatedNs),
		Versioning: holdfast.Versioning(d.u8(w.Versioning)),
		ObjectLock: w.ObjectLock,
		Epoch:      w.Epoch,
		Settings:   settingsFromWire(w.Settings),
	}
}

func usageToWire(u holdfast.Usage) *namepb.UsageReply {
	return &namepb.UsageReply{
		Objects:     u.Objects,
		Versions:    u.Versions,
		Bytes:       u.Bytes,
		UploadBytes: u.UploadBytes,
	}
}

// someUsageToWire leaves out what is zero, as in the replies to all operations but one.
func someUsageToWire(u holdfast.Usage) *namepb.UsageReply {
	if u == (holdfast.Usage{}) {
		return nil
	}
	return usageToWire(u)
}

func usageFromWire(w *namepb.UsageReply) holdfast.Usage {
	return holdfast.Usage{
		Objects:     w.GetObjects(),
		Versions:    w.GetVersions(),
		Bytes:       w.GetBytes(),
		UploadBytes: w.GetUploadBytes(),
	}
}
