"""What a trained model is good for beyond sampling.

directions   latents moved along directions         edits        images of seeds moved along directions by name
catalogue    directions of a run by name            storage      directions in files
discovery    how directions are found               projections  the layers that take the latent
effects      what a direction changes, its name     statistics   what is seen of an image at once
inversion    the latents of a given picture         classifier   of a run's data set
inpainting   holes filled by untrained means        blending     a patch into a picture without a seam
superresolution  small pictures enlarged            translation  pictures through image-to-image models
editor       a run for many pictures                stepwise     work that can be watched and stopped
paths        interpolations by key frames           step_lengths how far images move from frame to frame
animation    frames as a film                       saved_latents  latents in files, in place of seeds
"""
