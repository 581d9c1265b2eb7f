"""The grammar of charts, and the charts that more than one page draws. Pure: no torch, no gradio, no gencore."""
