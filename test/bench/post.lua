-- wrk script: post the file named by $REVIEW as an AdmissionReview.
local file = io.open(os.getenv("REVIEW"), "r")
wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "application/json"
file:close()
