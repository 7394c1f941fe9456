package gwtest

func testReplication(e *env) {
	const root = "ReplicationConfiguration"
	versioned := func(bucket string) {
		e.req("PUT", "/"+bucket+"?versioning", text("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")).mustBe(200)
	}
	rule := func(bucket string) string {
		return "<ID>a</ID><Priority>1</Priority><Filter><And><Prefix>a/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter><Status>Enabled</Status>" +
			"<Destination><Bucket>arn:aws:s3:::" + bucket + "</Bucket><StorageClass>STANDARD_IA</StorageClass></Destination>" +
			"<DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>"
	}
	inside := func(rule string) string { return "<Role>arn:aws:iam::1:role/r</Role><Rule>" + rule + "</Rule>" }
	doc := func(rule string) option { return text("<" + root + ">" + inside(rule) + "</" + root + ">") }
	target := e.newBucket()
	e.req("GET", e.on("replication")).fails(404, "ReplicationConfigurationNotFoundError", "BucketName", e.bucket)
	e.req("DELETE", e.on("replication")).is(204)
	e.req("PUT", e.on("replication"), doc(rule(target))).fails(400, "InvalidRequest").
		says("Versioning must be 'Enabled' on the bucket to apply a replication configuration")
	versioned(e.bucket)
	e.req("PUT", e.on("replication"), doc(rule(target))).fails(400, "InvalidRequest").says("Destination bucket must have versioning enabled.")
	e.req("PUT", e.on("replication"), doc(rule(randomName()))).fails(400, "InvalidRequest").says("Destination bucket must exist.")
	e.req("PUT", e.on("replication"), doc(rule(e.bucket))).fails(400, "InvalidRequest")
	e.req("PUT", e.on("replication"), doc(rule("a:b"))).fails(400, "InvalidArgument")
	e.req("GET", e.on("replication")).fails(404, "ReplicationConfigurationNotFoundError")
	versioned(target)
	e.req("PUT", e.on("replication"), doc(rule(target))).is(200).holds(nil)
	e.req("GET", e.on("replication")).is(200).holdsXML(root, inside(rule(target)))
	e.req("PUT", e.on("replication"), doc("<Status>Enabled</Status>")).fails(400, "MalformedXML")
	e.req("DELETE", e.on("replication")).is(204).holds(nil)
	e.req("GET", e.on("replication")).fails(404, "ReplicationConfigurationNotFoundError")
}
