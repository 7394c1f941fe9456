package usage

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// Key says who used what.
type Key struct {
	Bucket string `json:"bucket"`  // "": no bucket, such as a list of buckets, or one that is not there
	Epoch  uint64 `json:"epoch"`   // tells apart the buckets that had the name; 0: none
	User   string `json:"user_id"` // "": nobody signed
	Tag    string `json:"tag"`
}

// Kind is what an operation is counted as.
type Kind uint8

// The kinds.
const (
	Other Kind = iota
	Put
	Get
	List
)

// counters are what is counted.
type counters struct {
	Ops struct {
		Put   int64 `json:"put"`
		Get   int64 `json:"get"`
		List  int64 `json:"list"`
		Other int64 `json:"other"`
	} `json:"ops"`
	Net struct {
		Uploaded   int64 `json:"uploaded"`
		Downloaded int64 `json:"downloaded"`
	} `json:"net_io"`
}

func (c *counters) add(k Kind, up, down int64) {
	switch k {
	case Put:
		c.Ops.Put++
	case Get:
		c.Ops.Get++
	case List:
		c.Ops.List++
	default:
		c.Ops.Other++
	}
	c.Net.Uploaded += up
	c.Net.Downloaded += down
}

// item is a line of an object.
type item struct {
	Key      Key      `json:"key"`
	Counters counters `json:"counters"`
}

func compareItems(a, b item) int {
	return cmp.Or(
		strings.Compare(a.Key.Bucket, b.Key.Bucket), strings.Compare(a.Key.User, b.Key.User), cmp.Compare(a.Key.Epoch, b.Key.Epoch),
		strings.Compare(a.Key.Tag, b.Key.Tag),
	)
}

// encode writes an object: one JSON document. It orders the items.
func encode(n name, items []item) ([]byte, error) {
	slices.SortFunc(items, compareItems)
	var doc bytes.Buffer
	err := json.NewEncoder(&doc).Encode(struct {
		Format  int    `json:"fmt_version"`
		Service string `json:"service_id"`
		Start   int64  `json:"start_ts"`
		Period  int64  `json:"period"`
		Items   int    `json:"nr_items"`
		List    []item `json:"items"`
	}{1, n.service.String(), n.begin.Unix(), n.seconds, len(items), items})
	return doc.Bytes(), err
}
