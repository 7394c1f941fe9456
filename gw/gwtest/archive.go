package gwtest

// testArchive asks for what archives and torrents would answer: there are none.
func testArchive(e *env) {
	doc := text("<RestoreRequest><Days>1</Days></RestoreRequest>")
	e.put("k", "data")
	e.put("cold", "data", header("X-Amz-Storage-Class", "GLACIER"))
	e.req("POST", e.at("k")+"?restore", doc).fails(403, "InvalidObjectState", "StorageClass", "STANDARD").
		says("Restore is not allowed for the object's current storage class")
	e.req("POST", e.at("cold")+"?restore", doc).fails(403, "InvalidObjectState", "StorageClass", "GLACIER")
	e.get("cold").is(200).holds([]byte("data"))
	e.req("GET", e.at("k")+"?torrent").fails(404, "NoSuchKey", "Key", "k")
	for _, missing := range []*answer{e.req("POST", e.at("none")+"?restore", doc), e.req("GET", e.at("none")+"?torrent")} {
		missing.fails(404, "NoSuchKey", "Key", "none")
	}
	e.versioning("Enabled")
	id := e.marker("k")
	e.req("POST", e.at("k")+"?restore", doc).fails(404, "NoSuchKey")
	e.req("POST", e.version("k", id)+"&restore", doc).fails(405, "MethodNotAllowed")
	e.req("POST", e.version("k", "null")+"&restore", doc).fails(403, "InvalidObjectState")
	e.req("POST", "/"+randomName()+"/k?restore", doc).fails(404, "NoSuchBucket")
}
