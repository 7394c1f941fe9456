package s3api

import (
	"net/http"
	"net/url"
	"strings"
)

// Match returns the operation of a request: the row of the route table for the method and the kind of target that has all its
// query keys and headers in the request, and the most conditions of those that do. S3's rules beyond that:
//
//   - query keys that are no sub-resource of any operation are ignored (x-id=PutObject, signatures, cache busters);
//   - a sub-resource that the method or the target does not have (DELETE ?acl, PUT key?lifecycle) is MethodNotAllowed. It
//     is never taken for the plain operation, which would create or delete something nobody asked to;
//   - partNumber without uploadId on PUT is InvalidArgument, and so is uploadId without partNumber.
//
// Header keys must be in canonical form, as net/http delivers them. The operation may be one that is not built: see
// [Op.Built].
func Match(method string, hasBucket, hasKey bool, query url.Values, header http.Header) (Op, error) {
	on := onService
	switch {
	case hasBucket && hasKey:
		on = onObject
	case hasBucket:
		on = onBucket
	}
	if method == http.MethodOptions { // a preflight carries the query of the request it asks for
		return routes[on][method][0], nil
	}
	var best Op
	bestWeight := -1
	for _, op := range routes[on][method] {
		if row := &opTable[op]; row.weight() > bestWeight && row.matches(query, header) {
			best, bestWeight = op, row.weight()
		}
	}
	if on == onObject && method == http.MethodPut {
		if err := checkPartKeys(query); err != nil {
			return 0, err
		}
	}
	if sub := strayedSubresource(query, best); sub != "" {
		return 0, MethodRefused(method, strings.ToUpper(sub))
	}
	if best == 0 {
		return 0, MethodRefused(method, on.name())
	}
	return best, nil
}

// weight orders rows by how specific they are.
func (row *opRow) weight() int { return len(row.query) + len(row.headers) }

func (row *opRow) matches(query url.Values, header http.Header) bool {
	for _, want := range row.query {
		key, value, valued := strings.Cut(want, "=")
		got, ok := query[key]
		if !ok || valued && (len(got) == 0 || got[0] != value) {
			return false
		}
	}
	for _, name := range row.headers {
		if _, ok := header[name]; !ok {
			return false
		}
	}
	return true
}

// checkPartKeys refuses half of what names a part: answered as PutObject it would overwrite the object.
func checkPartKeys(query url.Values) error {
	_, hasUpload := query["uploadId"]
	_, hasPart := query["partNumber"]
	if hasPart && !hasUpload {
		return BadArgument("partNumber", query.Get("partNumber"),
			"This operation does not accept partNumber without uploadId")
	}
	if hasUpload && !hasPart {
		return BadArgument("uploadId", query.Get("uploadId"),
			"This operation does not accept uploadId without partNumber")
	}
	return nil
}

// strayedSubresource returns a sub-resource in the query that the operation is not about, or "".
func strayedSubresource(query url.Values, op Op) string {
	stray := ""
	for key := range query {
		if !subresources[key] || op != 0 && opTable[op].wants(key) {
			continue
		}
		if stray == "" || key < stray { // the same answer whatever the order of the map
			stray = key
		}
	}
	return stray
}

func (row *opRow) wants(key string) bool {
	for _, want := range row.query {
		if want == key {
			return true
		}
	}
	return false
}

// routes lists the operations by resource and method. Written once, here.
var routes = indexRoutes()

func indexRoutes() [resourceEnd]map[string][]Op {
	var index [resourceEnd]map[string][]Op
	for on := range index {
		index[on] = make(map[string][]Op)
	}
	for _, op := range Ops() {
		row := &opTable[op]
		index[row.on][row.method] = append(index[row.on][row.method], op)
	}
	return index
}

// plainKeys are query keys of routes that only qualify an operation, so that others may carry them for their own ends
// (GET key?partNumber=1, any request with an id).
var plainKeys = map[string]bool{"id": true, "partNumber": true, "list-type": true}

// subresources is every query key that selects an operation. Written once, here.
var subresources = indexSubresources()

func indexSubresources() map[string]bool {
	index := make(map[string]bool)
	for _, op := range Ops() {
		for _, want := range opTable[op].query {
			key, _, _ := strings.Cut(want, "=")
			if !plainKeys[key] {
				index[key] = true
			}
		}
	}
	return index
}
