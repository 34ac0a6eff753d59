module cvirt/test/streams

go 1.26.0
